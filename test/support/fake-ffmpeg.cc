// Stands for ffmpeg where a test needs one that behaves badly, or one that says what its sandbox lets it do. The first
// argument says what it does; without any it is a program that does nothing and ends well.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Words = std::vector<std::string>;

/** "ok", or what errno says. */
void tell(const std::string& what, long result) {
  std::printf("%s: %s\n", what.c_str(), result < 0 ? strerrorname_np(errno) : "ok");
  std::fflush(stdout);
}

[[noreturn]] void waitForever() {
  std::puts("waiting");
  std::fflush(stdout);
  for (;;) pause();
}

void writeForever(int fd, const std::string& line) {
  std::string chunk;
  while (chunk.size() < (1 << 16)) chunk += line;
  for (;;) {
    if (write(fd, chunk.data(), chunk.size()) < 0 && errno != EINTR) std::exit(1);
  }
}

void writeBytes(int fd, std::uint64_t bytes, const std::string& line) {
  for (std::uint64_t done = 0; done < bytes; done += line.size()) {
    if (write(fd, line.data(), line.size()) < 0) std::exit(1);
  }
}

int socketTo(const std::string& host, const std::string& port, int flags, int protocol = 0) {
  const int fd = socket(AF_INET, SOCK_STREAM, protocol);
  if (fd < 0) return -1;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  const auto* place = reinterpret_cast<sockaddr*>(&address);
  if (flags != 0) return static_cast<int>(sendto(fd, "x", 1, flags, place, sizeof address));
  return connect(fd, place, sizeof address);
}

int bindAny() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(49'152);
  return fd < 0 ? -1 : bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
}

int startProcess() {
  const pid_t child = fork();
  if (child == 0) std::_Exit(0);
  if (child < 0) return -1;
  return waitpid(child, nullptr, 0);
}

int startThread() {
  std::thread([] {}).join();
  return 0;
}

int become(const std::string& path) {
  char* const argv[] = {const_cast<char*>(path.c_str()), nullptr};
  return execv(path.c_str(), argv);
}

long reserve(std::uint64_t mib) {
  void* memory = std::malloc(mib << 20);
  if (memory == nullptr) return -1;
  std::free(memory);
  return 0;
}

/** Asks the same of a process that it has already: where it may, nothing changes. */
long touch(const std::string& what, pid_t pid) {
  rlimit limits = {};
  cpu_set_t cpus = {};
  const sched_param param = {};
  if (what == "limits") return syscall(SYS_prlimit64, pid, RLIMIT_CORE, nullptr, &limits);
  if (what == "priority") return setpriority(PRIO_PROCESS, static_cast<id_t>(pid), getpriority(PRIO_PROCESS, static_cast<id_t>(pid)));
  if (what == "group-priority") return setpriority(PRIO_PGRP, 0, getpriority(PRIO_PROCESS, 0));
  if (what == "io-priority") return syscall(SYS_ioprio_set, 1, pid, 0);
  if (what == "scheduler") return sched_setscheduler(pid, SCHED_OTHER, &param);
  if (what == "affinity") return sched_getaffinity(pid, sizeof cpus, &cpus) < 0 ? -1 : sched_setaffinity(pid, sizeof cpus, &cpus);
  if (what == "robust-list") return syscall(SYS_get_robust_list, pid, &limits.rlim_cur, &limits.rlim_max);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const f_owner_ex owner = {F_OWNER_PID, pid};
  if (what == "own") return fcntl(fd, F_SETOWN, pid);
  if (what == "own-ex") return fcntl(fd, F_SETOWN_EX, &owner);
  if (what == "own-ioctl") return ioctl(fd, FIOSETOWN, &pid);
  if (what == "own-socket") return ioctl(fd, SIOCSPGRP, &pid);
  if (what == "own-signal") return fcntl(fd, F_SETSIG, SIGKILL);
  errno = ENOSYS;
  return -1;
}

/** What one line of the tests asks for: "open /etc/passwd". */
long attempt(const Words& words) {
  const std::string& what = words.at(0);
  const auto at = [&](std::size_t index) { return words.at(index); };
  if (what == "read") return open(at(1).c_str(), O_RDONLY);
  if (what == "write") return open(at(1).c_str(), O_WRONLY | O_CREAT, 0600);
  if (what == "list") return open(at(1).c_str(), O_RDONLY | O_DIRECTORY);
  if (what == "mkdir") return mkdir(at(1).c_str(), 0700);
  if (what == "unlink") return unlink(at(1).c_str());
  if (what == "rename") return rename(at(1).c_str(), (at(1) + ".new").c_str());
  if (what == "chmod") return chmod(at(1).c_str(), 0777);
  if (what == "chown") return chown(at(1).c_str(), 1, 1);
  if (what == "truncate") return truncate(at(1).c_str(), 0);
  if (what == "exec") return become(at(1));
  if (what == "connect") return socketTo(at(1), at(2), 0);
  if (what == "fastopen") return socketTo(at(1), at(2), MSG_FASTOPEN);
  if (what == "multipath") return socketTo(at(1), at(2), 0, 262);
  if (what == "bind") return bindAny();
  if (what == "udp") return socket(AF_INET, SOCK_DGRAM, 0);
  if (what == "unix") return socket(AF_UNIX, SOCK_STREAM, 0);
  if (what == "raw") return socket(AF_PACKET, SOCK_RAW, 0);
  if (what == "fork") return startProcess();
  if (what == "thread") return startThread();
  if (what == "signal") return kill(std::stoi(at(1)), 0);
  if (what == "trace") return syscall(SYS_ptrace, 16, std::stoi(at(1)), 0, 0);
  if (what == "io_uring") return syscall(425, 1, std::vector<char>(256).data());
  if (what == "reserve") return reserve(std::stoull(at(1)));
  if (what == "device") return open("/dev/null", O_RDWR);
  if (what == "descriptor") return fcntl(std::stoi(at(1)), F_GETFD);
  if (what == "touch") return touch(at(1), std::stoi(at(2)));
  errno = ENOSYS;
  return -1;
}

Words splitWords(std::string_view text) {
  Words words;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    words.emplace_back(text.substr(from, to - from));
    from = to + 1;
  }
  return words;
}

void ignoreTerm() { std::signal(SIGTERM, SIG_IGN); }

const std::map<std::string_view, std::function<void(const Words&)>> kBehaviours = {
    {"-version", [](const Words&) { std::puts("ffmpeg version 7.0.1-fake Copyright"); }},
    {"wait", [](const Words&) { waitForever(); }},
    {"ignore-term", [](const Words&) { ignoreTerm(); waitForever(); }},
    {"ignore-term-and-write",
     [](const Words&) { ignoreTerm(); std::signal(SIGPIPE, SIG_IGN); writeForever(STDOUT_FILENO, "x"); }},
    {"write", [](const Words&) { writeForever(STDOUT_FILENO, "x"); }},
    {"write-bytes", [](const Words& words) { writeBytes(STDOUT_FILENO, std::stoull(words.at(0)), std::string(1'000, 'x')); }},
    {"flood", [](const Words& words) { writeForever(STDERR_FILENO, words.at(0) + "\n"); }},
    {"say", [](const Words& words) { for (const auto& word : words) std::fprintf(stderr, "%s\n", word.c_str()); std::exit(1); }},
    {"crash", [](const Words&) { std::raise(SIGSEGV); }},
    {"abort", [](const Words&) { std::abort(); }},
    {"exit", [](const Words& words) { std::exit(std::stoi(words.at(0))); }},
    {"stop", [](const Words&) { std::raise(SIGSTOP); }},
    {"arguments", [](const Words& words) { for (const auto& word : words) std::printf("[%s]\n", word.c_str()); }},
    {"try", [](const Words& words) { for (const auto& line : words) tell(line, attempt(splitWords(line))); }},
};

}  // namespace

int main(int count, char** words) {
  if (count < 2) return 0;
  const auto behaviour = kBehaviours.find(words[1]);
  if (behaviour == kBehaviours.end()) return 2;
  behaviour->second(Words(words + 2, words + count));
  return 0;
}
