#include "file_io.hh"

#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>

namespace torrx {
namespace {

using Vectored = ssize_t (*)(int fd, const iovec* parts, int count, off_t at);

/** Takes `bytes` from the front. */
void consume(std::span<iovec>& parts, std::size_t bytes) {
  while (!parts.empty() && bytes >= parts.front().iov_len) {
    bytes -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (parts.empty()) return;
  parts.front().iov_base = static_cast<std::uint8_t*>(parts.front().iov_base) + bytes;
  parts.front().iov_len -= bytes;
}

Transfer transferAll(Vectored call, int fd, std::span<iovec> parts, std::uint64_t at) {
  Transfer done;
  consume(parts, 0);
  while (!parts.empty()) {
    const int count = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
    const ssize_t bytes = call(fd, parts.data(), count, static_cast<off_t>(at + done.bytes));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) done.errnoCode = errno;
    if (bytes <= 0) return done;
    done.bytes += static_cast<std::uint64_t>(bytes);
    consume(parts, static_cast<std::size_t>(bytes));
  }
  return done;
}

/** tmpfs and ramfs: they do not know RWF_NOWAIT, and have no disk to wait for. Leaves errno as it is where not. */
bool isInMemory(int fd) {
  struct statfs system {};
  const int before = errno;
  const bool isKnown = fstatfs(fd, &system) == 0;
  errno = before;
  return isKnown && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

}  // namespace

Transfer writeAll(int fd, std::vector<iovec> parts, std::uint64_t at) {
  std::uint64_t wanted = 0;
  for (const iovec& part : parts) wanted += part.iov_len;
  Transfer done = transferAll(pwritev, fd, parts, at);
  // A write that takes nothing and has no reason is a fault all the same.
  if (done.bytes < wanted && done.errnoCode == 0) done.errnoCode = EIO;
  return done;
}

Transfer readAll(int fd, std::vector<iovec> parts, std::uint64_t at) { return transferAll(preadv, fd, parts, at); }

std::int64_t readNow(int fd, std::span<std::uint8_t> target, std::uint64_t at) {
  const iovec part{target.data(), target.size()};
  ssize_t bytes = preadv2(fd, &part, 1, static_cast<off_t>(at), RWF_NOWAIT);
  if (bytes < 0 && errno == EOPNOTSUPP && isInMemory(fd)) bytes = preadv(fd, &part, 1, static_cast<off_t>(at));
  return bytes < 0 ? -errno : bytes;
}

}  // namespace torrx
