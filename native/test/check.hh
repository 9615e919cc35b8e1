// The little that the native tests need: named tests, CHECK, a seeded generator, a spin barrier.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

namespace torrx::test {

#define CHECK(condition)                                                                      \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);            \
      std::_Exit(1);                                                                          \
    }                                                                                         \
  } while (false)

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

struct Register {
  Register(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

#define TEST_JOIN_(a, b) a##b
#define TEST_AT_(line, name)                                                               \
  static void TEST_JOIN_(test_, line)();                                                   \
  static const ::torrx::test::Register TEST_JOIN_(register_, line)(name, TEST_JOIN_(test_, line)); \
  static void TEST_JOIN_(test_, line)()
#define TEST_ON_(line, name) TEST_AT_(line, name)
#define TEST(name) TEST_ON_(__LINE__, name)

/** How long each stress test runs: TORRX_STRESS_MS, by default 500. */
std::chrono::milliseconds stressTime();
/** Ring operations of the counted stress test: TORRX_STRESS_OPS, by default none beyond stressTime. */
std::uint64_t stressOps();
std::uint64_t seed();

class Random {
 public:
  explicit Random(std::uint64_t start) : state_(start) {}
  /** 0 … below-1 (splitmix64). */
  std::uint64_t operator()(std::uint64_t below) {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
  }

 private:
  std::uint64_t state_;
};

class Clock {
 public:
  bool isOver(std::chrono::milliseconds bound) const { return std::chrono::steady_clock::now() - start_ > bound; }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/** Two threads leave meet() as nearly at once as a machine allows. It orders what came before with what comes after, and
 *  nothing in between. */
class Meeting {
 public:
  void meet() {
    const std::uint64_t mine = arrived_.fetch_add(1, std::memory_order_acq_rel) / 2;
    for (unsigned spins = 0; arrived_.load(std::memory_order_acquire) < (mine + 1) * 2; ++spins) {
      if (spins > 2'000) std::this_thread::yield();
    }
  }

 private:
  std::atomic<std::uint64_t> arrived_{0};
};

/** Of a random order of magnitude, so that each interleaving has its turn on a fast and on a busy machine. */
inline void pause(Random& random) {
  for (std::uint64_t left = random(2u << random(10)); left > 0; --left) std::atomic_signal_fence(std::memory_order_seq_cst);
}

/** Both run once per round, at the same time; check afterwards, alone. */
template <typename Consumer, typename Producer, typename Check>
void race(Consumer consumer, Producer producer, Check check) {
  Meeting meeting;
  std::atomic<bool> isOver{false};
  std::thread other([&] {
    for (;;) {
      meeting.meet();
      if (isOver.load(std::memory_order_relaxed)) return;
      producer();
      meeting.meet();
    }
  });
  const Clock clock;
  for (std::uint64_t round = 0;; ++round) {
    if (round % 256 == 0 && clock.isOver(stressTime())) isOver.store(true, std::memory_order_relaxed);
    meeting.meet();
    if (isOver.load(std::memory_order_relaxed)) break;
    consumer();
    meeting.meet();
    check();
  }
  other.join();
}

}  // namespace torrx::test
