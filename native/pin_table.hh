// The runs of slabs that JavaScript reads at the moment. A pin is a reference of its own on each slab of a run, so that
// neither sliding nor closing a window frees what a socket still sends.
// Threading: one table per JavaScript thread, for that thread alone, except pinnedBytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "slab_pool.hh"
#include "window.hh"

namespace torrx {

class PinTable {
 public:
  static constexpr std::size_t kMaxPins = 1 << 20;

  explicit PinTable(SlabPool& pool) : pool_(pool) {}
  ~PinTable();  // gives back what is left
  PinTable(const PinTable&) = delete;
  PinTable& operator=(const PinTable&) = delete;

  /** Takes over the chunk's references. A token below 2^53; 0 when there are kMaxPins: the references were given back. */
  Token add(const Chunk& chunk);
  /** False when the token is stale or invented: nothing happens. */
  bool release(Token pin);
  std::uint64_t pinnedBytes() const { return pinnedSlabs_.load(std::memory_order_relaxed) * kSlabBytes; }

 private:
  struct Pin {
    std::uint32_t generation = 0;
    SlabIndex slab = 0;
    std::uint32_t slabs = 0;  // 0: not in use
  };

  void giveBack(SlabIndex slab, std::uint32_t slabs);

  SlabPool& pool_;
  std::vector<Pin> pins_;
  std::vector<std::uint32_t> free_;
  std::atomic<std::uint64_t> pinnedSlabs_{0};  // relaxed: a figure, orders nothing
};

}  // namespace torrx
