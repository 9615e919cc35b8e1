// A bounded lock-free queue for any number of producers and consumers (D. Vyukov's bounded MPMC queue). Nothing is
// allocated after construction; a full queue refuses, an empty one gives nothing.
//
// Each cell carries a turn. For position p (counted without end; the cell is p mod capacity):
//   turn == p             the cell is free for the producer of p
//   turn == p + 1         it holds the value of p, for the consumer of p
//   turn == p + capacity  it was consumed, and is free for the producer of p + capacity
// A thread owns a cell from the moment it moved head_ or tail_ past p until it stores the next turn, so a value is
// never touched by two threads.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace torrx {

template <typename T> class Queue {
 public:
  /** `capacity` must be a power of two from 2 on. */
  explicit Queue(size_t capacity) : mask_(capacity - 1), cells_(std::make_unique<Cell[]>(capacity)) {
    // relaxed: the queue reaches other threads only by what publishes the object itself.
    for (size_t p = 0; p < capacity; p++) cells_[p].turn.store(p, std::memory_order_relaxed);
  }

  /** False when full; `value` is moved from only when true. */
  bool push(T &&value) {
    // relaxed: a position is only a guess until the exchange below; the cell's turn is what orders the value.
    uint64_t p = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[p & mask_];
      // acquire: pairs with the consumer's release in pop, so its moving out is over before we move in.
      const uint64_t turn = cell.turn.load(std::memory_order_acquire);
      const auto ahead = static_cast<int64_t>(turn - p);
      if (ahead < 0) return false;
      if (ahead > 0) {
        p = tail_.load(std::memory_order_relaxed);
      } else if (tail_.compare_exchange_weak(p, p + 1, std::memory_order_relaxed)) {
        cell.value = std::move(value);
        // release: the value is written before the consumer can see its turn.
        cell.turn.store(p + 1, std::memory_order_release);
        return true;
      }
    }
  }

  std::optional<T> pop() {
    uint64_t p = head_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[p & mask_];
      // acquire: pairs with the release in push, so the value is whole.
      const uint64_t turn = cell.turn.load(std::memory_order_acquire);
      const auto ahead = static_cast<int64_t>(turn - (p + 1));
      if (ahead < 0) return std::nullopt;
      if (ahead > 0) {
        p = head_.load(std::memory_order_relaxed);
      } else if (head_.compare_exchange_weak(p, p + 1, std::memory_order_relaxed)) {
        std::optional<T> value(std::move(cell.value));
        cell.value = T{};
        // release: the cell is empty before the producer of the next round can see that it may fill it.
        cell.turn.store(p + mask_ + 1, std::memory_order_release);
        return value;
      }
    }
  }

 private:
  struct Cell {
    std::atomic<uint64_t> turn;
    T value{};
  };

  const size_t mask_;
  const std::unique_ptr<Cell[]> cells_;
  // A cache line each: producers and consumers would otherwise take the line from one another.
  alignas(64) std::atomic<uint64_t> tail_{0};
  alignas(64) std::atomic<uint64_t> head_{0};
};

}  // namespace torrx
