#include "own_process.hh"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "file_descriptor.hh"

namespace torrx::exec {
namespace {

/** Newer than some systems' headers. */
constexpr long kCloseRange = 436;
constexpr rlim_t kOpenFiles = 64;
constexpr long kMostTried = 1 << 16;
constexpr std::string_view kFirstToGo = "1000";

/** Bun ignores SIGPIPE and blocks some signals around a fork; both would be inherited. */
void restoreSignals() {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/** When memory runs out it is not the server that goes. */
void becomeFirstToGo() {
  const FileDescriptor score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (score.isOpen()) [[maybe_unused]] const auto written = write(score.get(), kFirstToGo.data(), kFirstToGo.size());
}

/** What /proc lists; none where it cannot be looked at. */
std::optional<std::vector<int>> openDescriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (folder == nullptr) return std::nullopt;
  std::vector<int> found;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    int fd = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (error == std::errc{} && end == name.data() + name.size()) found.push_back(fd);
  }
  return found;
}

/** Those above the three of stdio. */
void closeInherited() {
  if (syscall(kCloseRange, STDERR_FILENO + 1, UINT_MAX, 0) == 0) return;
  // Kernels before 5.9, and filters around us that do not know it.
  if (const auto listed = openDescriptors()) {
    for (const int fd : *listed) {
      if (fd > STDERR_FILENO) close(fd);
    }
    return;
  }
  // A container may set the limit to a thousand million.
  const long count = std::min(sysconf(_SC_OPEN_MAX), kMostTried);
  for (int fd = STDERR_FILENO + 1; fd < count; ++fd) close(fd);
}

/** A resource is an enumerator in one C library and an int in another. */
template <typename Resource>
int limit(Resource resource, rlim_t value) {
  rlimit both = {};
  if (getrlimit(resource, &both) != 0) return errno;
  // What an administrator has set lower stays.
  both.rlim_cur = both.rlim_max = std::min(value, both.rlim_max);
  return setrlimit(resource, &both) == 0 ? 0 : errno;
}

}  // namespace

bool dieWithParent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have ended before; then nobody will send the signal.
  return getppid() == parent;
}

void settleIn(const Options& options) {
  // No session of its own: within one, priorities count against each other on systems that schedule by session.
  setpgid(0, 0);
  restoreSignals();
  becomeFirstToGo();
  // Relative to the server; -1 is a priority too.
  [[maybe_unused]] const int priority = nice(options.nice);
  closeInherited();
}

std::optional<Failure> limitResources(const Options& options) {
  if (const int code = limit(RLIMIT_CORE, 0)) return failure("core files", code);
  if (const int code = limit(RLIMIT_FSIZE, 0)) return failure("files' sizes", code);
  if (const int code = limit(RLIMIT_NOFILE, kOpenFiles)) return failure("open files", code);
  if (!options.addressMib) return std::nullopt;
  if (const int code = limit(RLIMIT_AS, *options.addressMib << 20)) return failure("address space", code);
  return std::nullopt;
}

std::optional<Failure> giveUpPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failure("no_new_privs", errno);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, none) != 0) return failure("capabilities", errno);
  return std::nullopt;
}

}  // namespace torrx::exec
