#include "call_filter.hh"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace torrx::exec {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

/** Newer than some systems' headers; the numbers are those of every architecture. */
constexpr std::uint32_t kPidfdSendSignal = 424;
constexpr std::uint32_t kIoUringSetup = 425;
constexpr std::uint32_t kClone3 = 435;
constexpr std::uint32_t kPidfdGetfd = 438;
constexpr std::uint32_t kFchmodat2 = 452;
constexpr std::uint32_t kSetxattrat = 463;
constexpr std::uint32_t kRemovexattrat = 466;

constexpr std::uint32_t kNeverNeeded[] = {
    // It would make the other calls without being asked.
    kIoUringSetup,
    // Files that are there may be changed without being opened.
    SYS_fchmod, SYS_fchmodat, kFchmodat2, SYS_fchown, SYS_fchownat, SYS_utimensat,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, kSetxattrat,
    SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, kRemovexattrat,
#if defined(__x86_64__)
    SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
    // Memory and secrets of the same user's other processes.
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, kPidfdGetfd,
    SYS_shmget, SYS_semget, SYS_msgget, SYS_mq_open, SYS_keyctl, SYS_add_key, SYS_request_key,
    // Large parts of the kernel that no decoder needs.
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_unshare, SYS_setns, SYS_mount, SYS_umount2,
    SYS_open_by_handle_at,
};

constexpr std::uint32_t kSignals[] = {
    SYS_kill, SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, kPidfdSendSignal,
};

/** Calls whose first argument is the process that they are about. */
constexpr std::uint32_t kAboutProcess[] = {
    SYS_prlimit64, SYS_migrate_pages, SYS_move_pages, SYS_get_robust_list,
    SYS_sched_setaffinity, SYS_sched_setattr, SYS_sched_setparam, SYS_sched_setscheduler,
};

/** Of headers that some C libraries lack or that clash with theirs: linux/ioprio.h, asm/fcntl.h, asm/sockios.h. */
constexpr std::uint32_t kOneProcessOfIoprio = 1;
constexpr std::uint32_t kSetOwner = 8;
constexpr std::uint32_t kSetSignal = 10;
constexpr std::uint32_t kSetOwnerEx = 15;
constexpr std::uint32_t kSetOwnerByIoctl = 0x8901;
constexpr std::uint32_t kSetOwnerOfSocket = 0x8902;

constexpr std::uint32_t kAll = 0xffffffff;

/** Rules are tried one after the other; none depends on another. */
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, kArchitecture, 0, 2);
    load(offsetof(seccomp_data, nr));
    jump(BPF_JGE, kForeignCalls, 0, 1);
    refuse(EPERM);
  }

  void refuseCall(std::uint32_t call, int errnoCode = EPERM) {
    jump(BPF_JEQ, call, 0, 1);
    refuse(errnoCode);
  }

  /** Refused where the masked argument (32 bits of it) is none of the values. */
  void refuseUnless(std::uint32_t call, unsigned argument, std::uint32_t mask,
                    std::initializer_list<std::uint32_t> values) {
    auto left = static_cast<std::uint8_t>(values.size());
    loadArgument(call, argument, mask, left + 1);
    for (const std::uint32_t value : values) jump(BPF_JEQ, value, left--, 0);
    refuse(EPERM);
    load(offsetof(seccomp_data, nr));
  }

  /** Refused where the argument (32 bits of it) is one of the values. */
  void refuseIf(std::uint32_t call, unsigned argument, std::initializer_list<std::uint32_t> values) {
    auto left = static_cast<std::uint8_t>(values.size());
    loadArgument(call, argument, kAll, left + 2);
    for (const std::uint32_t value : values) jump(BPF_JEQ, value, left--, 0);
    rules_.push_back(BPF_STMT(BPF_JMP | BPF_JA, 1));
    refuse(EPERM);
    load(offsetof(seccomp_data, nr));
  }

  /** 0 or an errno. */
  int enter() {
    rules_.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog program = {static_cast<unsigned short>(rules_.size()), rules_.data()};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kAtFullSpeed, &program) == 0) return 0;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
  }

 private:
  /** Kernels before 5.16 would slow it down against code that spies on its own process; it runs none. */
  static constexpr unsigned kAtFullSpeed = 1 << 2;
  /** The same calls once more, under other numbers (x32). */
  static constexpr std::uint32_t kForeignCalls = 0x40000000;

  void load(std::size_t offset) {
    rules_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  /** Other calls skip this, the next `rules`, and the one that loads the call's number again. */
  void loadArgument(std::uint32_t call, unsigned argument, std::uint32_t mask, unsigned rules) {
    jump(BPF_JEQ, call, 0, rules + 3);
    // The lower half comes first in memory, on every processor that has a table here.
    load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
    rules_.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
  }
  /** How many rules to skip. */
  void jump(unsigned test, std::uint32_t value, unsigned ifTrue, unsigned ifFalse) {
    const auto [yes, no] = std::pair(static_cast<std::uint8_t>(ifTrue), static_cast<std::uint8_t>(ifFalse));
    rules_.push_back(BPF_JUMP(BPF_JMP | test | BPF_K, value, yes, no));
  }
  void refuse(int errnoCode) {
    rules_.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(errnoCode)));
  }

  std::vector<sock_filter> rules_;
};

constexpr std::uint32_t kSocketTypes = 0xf;

void keepToTcp(Filter& filter) {
  filter.refuseUnless(SYS_socket, 0, kAll, {AF_INET, AF_INET6});
  filter.refuseUnless(SYS_socket, 1, kSocketTypes, {SOCK_STREAM});
  // Multipath TCP is none that Landlock knows.
  filter.refuseUnless(SYS_socket, 2, kAll, {0, IPPROTO_TCP});
  // With this flag they connect, past Landlock.
  filter.refuseUnless(SYS_sendto, 3, MSG_FASTOPEN, {0});
  filter.refuseUnless(SYS_sendmsg, 2, MSG_FASTOPEN, {0});
  filter.refuseUnless(SYS_sendmmsg, 3, MSG_FASTOPEN, {0});
}

/** 0 is the thread that calls. By number none is let through: a filter cannot tell its own threads from others. */
void keepOffOthers(Filter& filter) {
  for (const std::uint32_t call : kAboutProcess) filter.refuseUnless(call, 0, kAll, {0});
  // Not a group, and not all that its user has.
  filter.refuseUnless(SYS_setpriority, 0, kAll, {PRIO_PROCESS});
  filter.refuseUnless(SYS_setpriority, 1, kAll, {0});
  filter.refuseUnless(SYS_ioprio_set, 0, kAll, {kOneProcessOfIoprio});
  filter.refuseUnless(SYS_ioprio_set, 1, kAll, {0});
  // The owner of a descriptor is sent a signal when something happens to it: any signal, any process.
  filter.refuseIf(SYS_fcntl, 1, {kSetOwner, kSetOwnerEx, kSetSignal});
  filter.refuseIf(SYS_ioctl, 1, {kSetOwnerByIoctl, kSetOwnerOfSocket});
}

void keepToItself(Filter& filter) {
  filter.refuseUnless(SYS_clone, 0, CLONE_THREAD, {CLONE_THREAD});
  // Its flags lie in memory, where a filter cannot look; the C library then uses clone.
  filter.refuseCall(kClone3, ENOSYS);
#if defined(__x86_64__)
  filter.refuseCall(SYS_fork);
  filter.refuseCall(SYS_vfork);
#endif
  for (const std::uint32_t call : kSignals) filter.refuseCall(call);
  // abort() goes this way.
  filter.refuseUnless(SYS_tgkill, 0, kAll, {static_cast<std::uint32_t>(getpid())});
}

}  // namespace

bool hasCallFilter() {
  // A filter at address 0 is refused only by a kernel that looks for it there.
  return kArchitecture != 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr) == -1 && errno == EFAULT;
}

std::optional<Failure> enterCallFilter(bool mayFork) {
  if (!hasCallFilter()) return std::nullopt;
  Filter filter;
  for (const std::uint32_t call : kNeverNeeded) filter.refuseCall(call);
  keepToTcp(filter);
  keepOffOthers(filter);
  if (!mayFork) keepToItself(filter);
  if (const int code = filter.enter()) return failure("seccomp", code);
  return std::nullopt;
}

}  // namespace torrx::exec
