// The queue: order for one thread, and that several threads lose nothing, see nothing twice and keep each producer's
// order. QUEUE_TEST_VALUES sets how many values go through.

#include "../queue.hh"

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace torrx;

namespace {

void expect(bool isTrue, const char* what) {
  if (isTrue) return;
  std::fprintf(stderr, "FAILED: %s\n", what);
  std::exit(1);
}

void isFirstInFirstOutAndBounded() {
  Queue<int> queue(4);
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 4; i++) expect(queue.push(int{i}), "there is room");
    expect(!queue.push(9), "a full queue refuses");
    for (int i = 0; i < 4; i++) expect(queue.pop() == i, "in order");
    expect(!queue.pop().has_value(), "an empty queue gives nothing");
  }
}

void letsGoOfWhatWasTaken() {
  Queue<std::shared_ptr<int>> queue(2);
  const auto value = std::make_shared<int>(7);
  expect(queue.push(std::shared_ptr<int>(value)), "there is room");
  queue.pop();
  expect(value.use_count() == 1, "the queue keeps nothing");
}

struct Item {
  uint32_t producer = 0;
  uint64_t number = 0;
  /** Written without an atomic: a race here is what the sanitizer would tell. */
  uint64_t twice = 0;
};

constexpr uint32_t kThreads = 3;

void passesEveryValueOnce(uint64_t values) {
  Queue<Item> queue(64);
  const uint64_t each = values / kThreads;
  std::atomic<uint64_t> left{each * kThreads};
  std::vector<std::vector<uint64_t>> seen(kThreads, std::vector<uint64_t>(kThreads, 0));
  std::atomic<uint64_t> sum{0};
  std::vector<std::thread> threads;
  for (uint32_t producer = 0; producer < kThreads; producer++) {
    threads.emplace_back([&, producer] {
      for (uint64_t n = 1; n <= each; n++) {
        while (!queue.push(Item{producer, n, 2 * n})) std::this_thread::yield();
      }
    });
  }
  for (uint32_t consumer = 0; consumer < kThreads; consumer++) {
    threads.emplace_back([&, consumer] {
      uint64_t mine = 0;
      while (left.load() > 0) {
        const auto item = queue.pop();
        if (!item) {
          std::this_thread::yield();
          continue;
        }
        expect(item->twice == 2 * item->number, "the value is whole");
        expect(seen[consumer][item->producer] < item->number, "a producer's values keep their order");
        seen[consumer][item->producer] = item->number;
        mine += item->number;
        left.fetch_sub(1);
      }
      sum.fetch_add(mine);
    });
  }
  for (auto& thread : threads) thread.join();
  expect(sum.load() == kThreads * (each * (each + 1) / 2), "each value exactly once");
}

}  // namespace

int main() {
  isFirstInFirstOutAndBounded();
  letsGoOfWhatWasTaken();
  const char* wanted = std::getenv("QUEUE_TEST_VALUES");
  passesEveryValueOnce(wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 300'000);
  std::puts("queue ok");
  return 0;
}
