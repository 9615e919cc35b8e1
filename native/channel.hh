// The way back to one JavaScript thread: results of its jobs and wake-ups of its windows, told by one notification for
// as many of them as there are by the time it is looked at.
//
// Threading: deliver, wake and isClosed from any thread; the rest on the JavaScript thread. After close() returns,
// notify is not running and never runs again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "queue.hh"
#include "token_table.hh"

namespace torrx {

/** The numbers are known to native/raw.ts and native/thread.ts. */
enum class ResultKind : std::uint8_t { none, settled, checked, wake };

struct Result {
  ResultKind kind = ResultKind::none;
  std::uint8_t status = 0;
  int errnoCode = 0;
  /** Of the job, or the token of the window to wake; 0: all windows. */
  std::uint64_t id = 0;
};

class Channel {
 public:
  static constexpr std::uint32_t kMaxJobs = 16'384;
  /** Checks have a queue in common with other threads, and so a share of it each. */
  static constexpr std::uint32_t kMaxChecks = 512;

  explicit Channel(std::function<void()> notify) : notify_(std::move(notify)) {}

  /** Room for the result of one more job; false when too many are under way. */
  bool reserve(ResultKind kind);
  /** Of a job that was reserved. */
  void deliver(Result result);
  void wake(Token window);
  /** Everything that has come since the last call. */
  std::vector<Result> drain();
  void close();
  bool isClosed() const { return isClosed_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kMaxWakes = 1'024;
  void notifyOnce();

  Queue<Result> results_{kMaxJobs};
  Queue<Token> wakes_{kMaxWakes};
  std::atomic<bool> hasLostWakes_{false};
  std::atomic<bool> isNotified_{false};
  // A hint for jobs that they work for nobody; that notify_ is not called after close() is the mutex's doing.
  std::atomic<bool> isClosed_{false};
  std::mutex mutex_;  // guards notify_
  std::function<void()> notify_;
  std::uint32_t jobs_ = 0;
  std::uint32_t checks_ = 0;
};

}  // namespace torrx
