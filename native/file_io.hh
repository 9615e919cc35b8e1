// Reads and writes that are whole, or say why not: short transfers and interruptions are gone on with.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

namespace torrx {

struct Transfer {
  /** Less than asked for only at the end of a file or with an error. */
  std::uint64_t bytes = 0;
  int errnoCode = 0;
};

Transfer writeAll(int fd, std::vector<iovec> parts, std::uint64_t at);
Transfer readAll(int fd, std::vector<iovec> parts, std::uint64_t at);

/** What memory has of a file, without waiting for a disk: bytes, 0 at the end, or -errno. */
std::int64_t readNow(int fd, std::span<std::uint8_t> target, std::uint64_t at);

}  // namespace torrx
