// The queue alone, and with several threads at both ends. TORRX_STRESS_OPS sets how many values pass.

#include <algorithm>
#include <memory>

#include "../queue.hh"
#include "check.hh"

namespace torrx::test {
namespace {

TEST("queue: first in, first out, and bounded") {
  Queue<int> queue(4);
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 4; i++) CHECK(queue.push(int{i}));
    CHECK(!queue.push(9));
    for (int i = 0; i < 4; i++) CHECK(queue.pop() == i);
    CHECK(!queue.pop());
  }
}

TEST("queue: keeps nothing of what was taken out") {
  Queue<std::shared_ptr<int>> queue(2);
  const auto value = std::make_shared<int>(7);
  CHECK(queue.push(std::shared_ptr<int>(value)));
  queue.pop();
  CHECK(value.use_count() == 1);
}

struct Item {
  std::uint32_t producer = 0;
  std::uint64_t number = 0;
  std::uint64_t twice = 0;  // plain: a value seen too early is a race that a sanitizer tells
};

constexpr std::uint32_t kEnds = 3;

struct Passing {
  Queue<Item> queue{64};
  std::atomic<std::uint64_t> left;
  std::atomic<std::uint64_t> sum{0};
};

void produce(Passing& passing, std::uint32_t producer, std::uint64_t count) {
  for (std::uint64_t n = 1; n <= count; n++) {
    while (!passing.queue.push({producer, n, 2 * n})) std::this_thread::yield();
  }
}

void consume(Passing& passing) {
  std::uint64_t last[kEnds] = {};
  std::uint64_t sum = 0;
  while (passing.left.load() > 0) {
    const auto item = passing.queue.pop();
    if (!item) {
      std::this_thread::yield();
      continue;
    }
    CHECK(item->twice == 2 * item->number);
    CHECK(last[item->producer] < item->number);
    last[item->producer] = item->number;
    sum += item->number;
    passing.left.fetch_sub(1);
  }
  passing.sum.fetch_add(sum);
}

TEST("queue: several threads lose nothing, see nothing twice and keep each producer's order") {
  const std::uint64_t each = std::max<std::uint64_t>(stressOps(), 300'000) / kEnds;
  Passing passing{.left = each * kEnds};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kEnds; i++) {
    threads.emplace_back(produce, std::ref(passing), i, each);
    threads.emplace_back(consume, std::ref(passing));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(passing.sum.load() == kEnds * (each * (each + 1) / 2));
}

}  // namespace
}  // namespace torrx::test
