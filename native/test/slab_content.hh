// What a unit's slab holds in the tests: a function of the unit's number, spread over the slab, so that a wrong, reused or
// half-written slab is seen.
#pragma once

#include "../slab_pool.hh"
#include "check.hh"

namespace torrx::test {

inline constexpr std::size_t kProbes = 8;

inline std::uint64_t contentOf(Unit unit, std::size_t probe) { return (unit + 1) * 0x9e3779b97f4a7c15 + probe; }

inline std::uint64_t* probeAt(const SlabPool& pool, SlabIndex slab, std::size_t probe) {
  return reinterpret_cast<std::uint64_t*>(pool.at(slab) + probe * (kSlabBytes / kProbes));
}

inline void writeContent(const SlabPool& pool, SlabIndex slab, Unit unit) {
  for (std::size_t i = 0; i < kProbes; ++i) *probeAt(pool, slab, i) = contentOf(unit, i);
}

inline bool hasContent(const SlabPool& pool, SlabIndex slab, Unit unit) {
  for (std::size_t i = 0; i < kProbes; ++i) {
    if (*probeAt(pool, slab, i) != contentOf(unit, i)) return false;
  }
  return true;
}

/** A slab with the unit's content, or none when the pool is full. */
inline bool makeSlab(SlabPool& pool, Unit unit, SlabIndex& slab) {
  if (!pool.allocate({&slab, 1})) return false;
  writeContent(pool, slab, unit);
  return true;
}

}  // namespace torrx::test
