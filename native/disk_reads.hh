// What a window needs of the outside: somebody who wakes its JavaScript thread and somebody who reads files for it.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>

#include "geometry.hh"
#include "token_table.hh"

namespace torrx {

class Window;

/** An open file of its own (a dup): jobs share it, so that closing it elsewhere never pulls it from under a thread. */
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

class Waker {
 public:
  virtual ~Waker() = default;
  /** Any thread. The window may be closed by now; a token that is not known any more is dropped. Must not block and
   *  must not call into the window from inside. */
  virtual void wake(Token window) = 0;
};

/** Units first … first+count-1 of the window's file, all marked as loading. Whoever runs it:
 *   1. leaves it when !window->wants(job);
 *   2. allocates slabs (a slab beyond the capacity only for a unit with window->isWaitingFor(unit));
 *   3. per unit reads Window::spanInFile(unit) into the slab and calls fill, or readFailed;
 *   4. calls window->finishRead(job) once, in every case; units neither filled nor failed are given back by it. */
struct ReadJob {
  std::shared_ptr<Window> window;
  std::shared_ptr<const File> file;
  Unit first = 0;
  std::uint32_t count = 0;
  /** Torrent::losses before the pieces were found to be had: what was read across a loss is worth nothing. */
  std::uint64_t losses = 0;
};

class DiskReads {
 public:
  virtual ~DiskReads() = default;
  /** Called by a window's consumer, which has at most Window::kMaxReads jobs under way. False: no room; the window
   *  takes its marks back and is woken to try again. */
  virtual bool enqueue(ReadJob&& job) = 0;
};

}  // namespace torrx
