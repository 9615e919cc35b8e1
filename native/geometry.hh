// The arithmetic of a torrent's bytes, pieces and units. A unit is one slab's worth of one piece; units never cross a
// piece, so the last unit of a piece may be short, and a piece below 64 KiB is one short unit.
#pragma once

#include <algorithm>
#include <cstdint>

namespace torrx {

inline constexpr std::uint64_t kSlabBytes = 64 * 1024;

using Unit = std::uint64_t;
using SlabIndex = std::uint32_t;

struct ByteSpan {
  std::uint64_t start;
  std::uint64_t end;  // one past the last
};

struct UnitRange {
  Unit lo = 0;
  Unit hi = 0;  // one past the last

  bool contains(Unit unit) const { return unit >= lo && unit < hi; }
  bool operator==(const UnitRange&) const = default;
};

/** pieceLength and totalBytes are positive; the caller has checked them. */
struct Geometry {
  std::uint64_t pieceLength;
  std::uint64_t totalBytes;

  std::uint64_t pieces() const { return (totalBytes + pieceLength - 1) / pieceLength; }
  std::uint64_t slabsPerPiece() const { return (pieceLength + kSlabBytes - 1) / kSlabBytes; }
  std::uint64_t pieceOf(Unit unit) const { return unit / slabsPerPiece(); }
  Unit firstUnitOf(std::uint64_t piece) const { return piece * slabsPerPiece(); }

  Unit unitAt(std::uint64_t byte) const {
    return firstUnitOf(byte / pieceLength) + byte % pieceLength / kSlabBytes;
  }

  /** Bytes of the torrent that the unit holds. */
  ByteSpan spanOf(Unit unit) const {
    const std::uint64_t pieceStart = pieceOf(unit) * pieceLength;
    const std::uint64_t start = pieceStart + unit % slabsPerPiece() * kSlabBytes;
    return {start, std::min({start + kSlabBytes, pieceStart + pieceLength, totalBytes})};
  }
};

}  // namespace torrx
