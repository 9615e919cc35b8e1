// All memory that piece bytes ever live in: 64 KiB slabs of one address reservation, counted by reference.
// Invariant: a slab is free exactly when its count is 0, and only then is it handed out or given back to the system.
// The reservation and the counts live as long as the pool: any slab index may be looked at at any time. The pool of the
// product is never destroyed, because JavaScript holds views of its regions.
// Threading: every member may be called from any thread. ref, tryRef and unref are lock-free unless unref frees the
// slab, which takes the mutex, as allocate does; the mutex is a leaf (nothing is called under it).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "geometry.hh"
#include "mapping.hh"
#include "orders.hh"

namespace torrx {

inline constexpr std::uint64_t kRegionBytes = 64ull * 1024 * 1024;
inline constexpr SlabIndex kSlabsPerRegion = kRegionBytes / kSlabBytes;

/** Who holds a reference: those of windows are counted apart, so that what windows hold is known without counting
 *  anything twice. */
enum class Holder : std::uint64_t { other = 1, window = (std::uint64_t{1} << 32) | 1 };

/** A new slab beyond the capacity is only for the one unit a viewer is waiting for. */
enum class Limit { respect, ignore };

class SlabPool {
 public:
  static constexpr SlabIndex kMaxSlabs = 1u << 20;  // 64 GiB of addresses, not of memory
  static constexpr SlabIndex kKeptFreeSlabs = 256;  // 16 MiB stay resident for the next allocation

  /** Reserves addresses for maxSlabs, or half of it, and so on until the system agrees. Capacity starts at 0. */
  explicit SlabPool(SlabIndex maxSlabs = kMaxSlabs);
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  /** May change at any time; below what is in use it only stops new allocations. */
  void setCapacity(std::uint64_t bytes);

  /** Whether so many could be allocated at this moment. */
  bool hasRoom(std::uint64_t slabs) const;

  /** Fills `out` with slabs of count 1 (Holder::other), one run where there is one, lowest first. All or nothing:
   *  false when the capacity or the reservation is exhausted. The contents are arbitrary. */
  bool allocate(std::span<SlabIndex> out, Limit limit = Limit::respect);

  /** The caller holds a reference already. */
  void ref(SlabIndex slab, Holder holder = Holder::other);
  /** A reference if anybody has one at this moment; the slab may have been reused, so look again at where its index
   *  was found (Ring::take). */
  [[nodiscard]] bool tryRef(SlabIndex slab, Holder holder = Holder::other);
  /** The caller gives up a reference taken with the same holder. */
  void unref(SlabIndex slab, Holder holder = Holder::other);
  void unref(std::span<const SlabIndex> slabs);

  std::byte* at(SlabIndex slab) const { return memory_.bytes() + slab * kSlabBytes; }
  /** Start of region i (kRegionBytes long), for views made once per region. */
  std::byte* region(std::uint32_t index) const { return memory_.bytes() + index * kRegionBytes; }
  std::uint32_t regions() const { return (slabs_ + kSlabsPerRegion - 1) / kSlabsPerRegion; }

  /** Gives free memory above kKeptFreeSlabs back to the system, at most maxSlabs of it; returns how many. The system
   *  call is made outside of the mutex. */
  std::size_t trim(std::size_t maxSlabs);
  /** A thread that trims what has been free for a while, so that no caller of unref pays for it. Both are for the owner, in turn. */
  void startTrimmer();
  void stopTrimmer();

  struct Figures {
    std::uint64_t capacityBytes, usedBytes, windowBytes, residentBytes;
  };
  /** used: slabs with a reference; window: those that at least one window holds, each once; resident: touched and not
   *  given back. */
  Figures figures() const;

  /** For tests. */
  std::uint64_t refs(SlabIndex slab) const { return counts_.word(slab).load(orders::kFigure) & kAllRefs; }

 private:
  static constexpr std::uint64_t kAllRefs = 0xffff'ffff;  // low half: all references, high half: those of windows

  void release(SlabIndex slab);
  void handOut(SlabIndex slab);
  bool findRun(std::span<SlabIndex> out) const;
  bool findAny(std::span<SlabIndex> out) const;
  std::vector<SlabIndex> takeExcess(std::size_t maxSlabs);
  void trimUntilStopped();
  bool hasExcess() const { return residentSlabs_ > usedSlabs_ + kKeptFreeSlabs; }

  const Mapping memory_;
  const SlabIndex slabs_;
  const Mapping counts_;  // one word per slab
  std::atomic<std::uint64_t> windowSlabs_{0};

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable excess_;
  std::vector<bool> free_;      // false also while it is being trimmed
  std::vector<bool> resident_;  // touched since it was last given back
  std::uint64_t capacitySlabs_ = 0, usedSlabs_ = 0, residentSlabs_ = 0;
  SlabIndex lowestFree_ = 0;  // nothing is free below
  SlabIndex everUsed_ = 0;    // nothing was ever used from here on
  bool isStopping_ = false;
  bool isTrimDue_ = false;  // the trimmer has been told, and need not be again
  std::thread trimmer_;
};

}  // namespace torrx
