// A piece in the making: slabs of its own, how far it has arrived for good, and the hash so far.
//
// Threading: the owner (the JavaScript thread that took it) writes, advances, copies and seals. A verifier hashes what
// lies before `advanced_` and, once it is sealed, everything; a write below `advanced_` or after the seal is ignored, so
// the two never touch the same byte. turn_ keeps the piece in at most one queue, and with at most one verifier.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "channel.hh"
#include "disk_reads.hh"
#include "sha1.hh"
#include "slab_pool.hh"
#include "torrent.hh"

namespace torrx {

struct WriteRun {
  std::shared_ptr<const File> file;  // null: its token was stale
  std::uint64_t atInFile;
  std::uint64_t atInPiece;
  std::uint64_t length;
};

/** What becomes of a piece once it is complete. */
struct Settlement {
  Digest expected{};
  std::vector<WriteRun> runs;
  std::uint64_t job = 0;
};

/** Slabs that are given back together. */
class Slabs {
 public:
  explicit Slabs(SlabPool& pool) : pool_(pool) {}
  ~Slabs() { pool_.unref(list_); }
  Slabs(const Slabs&) = delete;
  Slabs& operator=(const Slabs&) = delete;

  /** False where the pool has not got them. Once. */
  bool allocate(std::size_t count, Limit limit = Limit::respect);
  std::span<const SlabIndex> list() const { return list_; }
  /** The longest physically contiguous bytes from `at` on, counted through all slabs, up to `most`. */
  std::span<std::uint8_t> bytesAt(std::uint64_t at, std::uint64_t most) const;

 private:
  SlabPool& pool_;
  std::vector<SlabIndex> list_;
};

class Piece {
 public:
  struct Place {
    std::shared_ptr<Torrent> torrent;
    std::uint64_t index;
    std::uint64_t length;
    std::shared_ptr<Channel> channel;  // of its owner
  };

  Piece(SlabPool& pool, Place place) : place_(std::move(place)), slabs_(pool) {}
  bool allocate() { return slabs_.allocate((place_.length + kSlabBytes - 1) / kSlabBytes); }

  std::uint64_t length() const { return place_.length; }
  std::uint64_t memoryBytes() const { return slabs_.list().size() * kSlabBytes; }
  const Slabs& slabs() const { return slabs_; }
  Channel& channel() const { return *place_.channel; }

  // The owner. False: outside of the piece.

  bool write(std::uint64_t at, std::span<const std::uint8_t> bytes);
  bool advance(std::uint64_t bytes);
  bool copy(std::uint64_t at, std::span<std::uint8_t> target) const;
  bool isSealed() const { return isSealed_; }
  void seal(Settlement settlement);
  /** After advance or seal. True: the caller is to queue the piece for a verifier. */
  bool wantTurn();

  // The verifier that has the turn.

  void beginTurn();
  /** Hashes what has arrived. True: it is sealed and was hashed to its end. The turn is then never given away again. */
  bool hash();
  /** Hashes of both what can be hashed side by side; each then goes on with hash(). The verifier has both turns. */
  static void hashTogether(Piece& first, Piece& second);
  /** True: something came in the meantime, and the turn goes on. */
  bool goesOn();
  bool isIntact() { return sha1_.finish() == settlement_.expected; }
  void publish() { place_.torrent->publish(place_.index, slabs_.list()); }
  const Settlement& settlement() const { return settlement_; }
  bool isWatched() const { return place_.torrent->isWatched(); }

 private:
  enum class Turn : std::uint8_t { none, queued, running, runningAndWanted };

  std::uint64_t hashableEnd() const;

  const Place place_;
  Slabs slabs_;
  // Stored by the owner; what it stores before (bytes, settlement_) is handed over by turn_.
  std::atomic<std::uint64_t> advanced_{0};
  std::atomic<bool> isSealed_{false};
  std::atomic<Turn> turn_{Turn::none};
  Settlement settlement_;
  // The verifier's.
  Sha1 sha1_;
  std::uint64_t hashed_ = 0;
};

/** All pieces in the making. */
class PieceTable {
 public:
  static constexpr std::size_t kCapacity = 16'384;

  explicit PieceTable(SlabPool& pool) : pool_(pool) {}
  /** 0 when there is no memory or no room. */
  Token take(Piece::Place place);
  std::shared_ptr<Piece> get(Token token) const { return table_.get(token); }
  void release(Token token) { table_.remove(token); }
  // Those included that were released while a job still works on them: every queue of pieces has room for all.
  std::size_t size() const { return count_.load(std::memory_order_acquire); }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  SlabPool& pool_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> bytes_{0};  // relaxed: a figure
  TokenTable<Piece> table_{kCapacity};
};

}  // namespace torrx
