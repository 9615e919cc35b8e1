// Threads that share one queue of jobs. Jobs that nobody has begun are dropped when the crew ends.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "queue.hh"

namespace torrx {

/** A POSIX semaphore: std::counting_semaphore of libstdc++ 11 and 12 can miss a wake-up (GCC bug 104928). */
class Semaphore {
 public:
  Semaphore() { sem_init(&semaphore_, 0, 0); }
  ~Semaphore() { sem_destroy(&semaphore_); }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void release() { sem_post(&semaphore_); }
  void acquire() {
    while (sem_wait(&semaphore_) != 0) {  // interrupted by a signal
    }
  }
  /** False: nobody released it until then (or a signal came). */
  bool acquireBefore(std::chrono::steady_clock::time_point until) {
    const auto total = std::chrono::nanoseconds(until.time_since_epoch()).count();
    const timespec time{.tv_sec = total / 1'000'000'000, .tv_nsec = total % 1'000'000'000};
    return sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &time) == 0;
  }

 private:
  sem_t semaphore_;
};

template <typename Job>
class Crew {
 public:
  Crew(unsigned threads, std::size_t capacity, std::function<void(Job)> run) : jobs_(capacity), run_(std::move(run)) {
    try {
      for (unsigned i = 0; i < threads; i++) threads_.emplace_back([this] { work(); });
    } catch (...) {  // the system has no thread for us; those that there are must end before their members do
      stop();
      throw;
    }
  }
  ~Crew() { stop(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /** False when there is no room. */
  bool push(Job job) {
    if (!jobs_.push(std::move(job))) return false;
    available_.release();
    return true;
  }

  /** For whoever has seen to it that there is room: "full" is then only a consumer that is still in its cell. */
  void pushToRoom(Job job) {
    while (!jobs_.push(std::move(job))) std::this_thread::yield();
    available_.release();
  }

  /** For a job that goes better with another: one more, if there is one or `most` brings one. */
  std::optional<Job> another(std::chrono::milliseconds most) {
    const auto until = std::chrono::steady_clock::now() + most;
    std::optional<Job> job = jobs_.pop();
    // A release may be that of a job which was taken without it: then there is nothing, and the wait goes on.
    while (!job && most.count() > 0 && available_.acquireBefore(until)) {
      if (isStopping_.load(std::memory_order_relaxed)) {
        available_.release();  // that was meant for the end of a thread
        return job;
      }
      job = jobs_.pop();
    }
    return job;
  }

  void stop() {
    isStopping_.store(true, std::memory_order_relaxed);
    for (std::size_t i = 0; i < threads_.size(); i++) available_.release();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  // Each push is followed by a release. A pop may find nothing although a push is over, where an earlier producer is
  // still in the middle of its own; that one's release is then still to come, and the inner loop takes both.
  void work() {
    for (;;) {
      available_.acquire();
      // relaxed: the semaphore orders what was stored before the release.
      while (!isStopping_.load(std::memory_order_relaxed)) {
        std::optional<Job> job = jobs_.pop();
        if (!job) break;
        run_(std::move(*job));
      }
      if (isStopping_.load(std::memory_order_relaxed)) return;
    }
  }

  Queue<Job> jobs_;
  Semaphore available_;
  std::atomic<bool> isStopping_{false};
  const std::function<void(Job)> run_;
  std::vector<std::thread> threads_;
};

}  // namespace torrx
