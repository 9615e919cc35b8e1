#include "landlock.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "file_descriptor.hh"

namespace torrx::exec {
namespace {

/** A system's headers may be older than its kernel, so these are ours. */
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1;
constexpr int kRuleBelowPath = 1;
constexpr int kRulePort = 2;

namespace fs {
constexpr std::uint64_t kExecute = 1 << 0;
constexpr std::uint64_t kWriteFile = 1 << 1;
constexpr std::uint64_t kReadFile = 1 << 2;
constexpr std::uint64_t kReadDir = 1 << 3;
constexpr std::uint64_t kIoctlDevice = 1 << 15;
constexpr std::uint64_t kRead = kReadFile | kReadDir;
/** What can be asked of a file that is no folder. */
constexpr std::uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kIoctlDevice;
/** All that each version knows: 2 brought links across folders, 3 truncation, 5 ioctl of devices. */
constexpr std::array<std::uint64_t, 6> kKnown = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
}  // namespace fs

namespace net {
constexpr std::uint64_t kBind = 1 << 0;
constexpr std::uint64_t kConnect = 1 << 1;
}  // namespace net

/** From version 6 on: no abstract Unix socket and no signal to anybody outside. */
constexpr int kLandlockWithScopes = 6;
constexpr std::uint64_t kAllScopes = 3;

/** The kernel takes as much of it as it knows, if the rest is zero. */
struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};

struct [[gnu::packed]] PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};

struct PortRule {
  std::uint64_t allowed;
  std::uint64_t port;
};

class Ruleset {
 public:
  explicit Ruleset(int version)
      : handled_(handledBy(version)),
        fd_(static_cast<int>(syscall(kCreateRuleset, &handled_, sizeof handled_, 0))) {}

  bool isUsable() const { return fd_.isOpen(); }

  /** 0 or an errno. */
  int allowBelow(const std::string& path, std::uint64_t access) const {
    const FileDescriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
    // Lists name what some systems have; to leave a rule out allows less.
    if (!place.isOpen()) return 0;
    struct stat about = {};
    if (fstat(place.get(), &about) != 0) return errno;
    if (!S_ISDIR(about.st_mode)) access &= fs::kOfFiles;
    const PathRule rule = {access & handled_.files, place.get()};
    return add(kRuleBelowPath, &rule);
  }

  int allowConnect(std::uint16_t port) const {
    if (handled_.network == 0) return 0;
    const PortRule rule = {net::kConnect, port};
    return add(kRulePort, &rule);
  }

  int enter() const { return syscall(kRestrictSelf, fd_.get(), 0) == 0 ? 0 : errno; }

 private:
  static RulesetAttributes handledBy(int version) {
    const auto known = std::min(static_cast<std::size_t>(version), fs::kKnown.size() - 1);
    return {fs::kKnown[known],
            version >= kLandlockWithPorts ? net::kBind | net::kConnect : 0,
            version >= kLandlockWithScopes ? kAllScopes : 0};
  }

  int add(int kind, const void* rule) const { return syscall(kAddRule, fd_.get(), kind, rule, 0) == 0 ? 0 : errno; }

  const RulesetAttributes handled_;
  const FileDescriptor fd_;
};

}  // namespace

int landlockVersion() {
  const long version = syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

std::optional<Failure> enterLandlock(const Options& options) {
  const int version = landlockVersion();
  if (version == 0) return std::nullopt;
  const Ruleset rules(version);
  if (!rules.isUsable()) return failure("Landlock", errno);
  const auto allow = [&](const std::vector<std::string>& paths, std::uint64_t access) {
    for (const std::string& path : paths) {
      if (const int code = rules.allowBelow(path, access)) return std::optional(failure("Landlock, " + path, code));
    }
    return std::optional<Failure>();
  };
  if (auto failed = allow(options.readable, fs::kRead)) return failed;
  if (auto failed = allow(options.runnable, fs::kRead | fs::kExecute)) return failed;
  if (auto failed = allow(options.devices, fs::kRead | fs::kWriteFile | fs::kIoctlDevice)) return failed;
  if (options.connectPort) {
    if (const int code = rules.allowConnect(*options.connectPort)) return failure("Landlock, port", code);
  }
  if (const int code = rules.enter()) return failure("Landlock", code);
  return std::nullopt;
}

}  // namespace torrx::exec
