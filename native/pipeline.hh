// The threads: pieces are hashed, shown to the windows and written; units are read for windows; pieces on disk are
// checked. Each kind of work has a crew of its own, so that a recheck delays no viewer and a slow disk no hashing.
//
// A job owns what it uses (piece, window, files, channel), so anything may be closed under it; jobs of a closed channel
// are left where they are. What nobody has begun is dropped when the pipeline ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "channel.hh"
#include "crew.hh"
#include "disk_reads.hh"
#include "piece.hh"
#include "sha1.hh"
#include "slab_pool.hh"

namespace torrx {

struct CheckRun {
  std::shared_ptr<const File> file;  // null: zeros
  std::uint64_t atInFile;
  std::uint64_t length;
};

struct CheckJob {
  Digest expected{};
  std::vector<CheckRun> runs;
  std::shared_ptr<Channel> channel;
  std::uint64_t job = 0;
};

// The numbers are known to native/thread.ts.
enum class SettleStatus : std::uint8_t { written, corrupt, failed };
enum class CheckStatus : std::uint8_t { passed, different, isShort, failed };

/** Of the reads for windows; relaxed, as they order nothing. */
struct DiskFigures {
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> bytes{0};
};

class Pipeline {
 public:
  /** Both outlive it. Throws std::system_error where the system has no threads for it. */
  Pipeline(SlabPool& pool, DiskFigures& figures);

  /** After wantTurn() said so. */
  void verify(std::shared_ptr<Piece> piece) { verifiers_.pushToRoom(std::move(piece)); }
  /** The channel has room for a check (Channel::reserve). */
  void check(std::unique_ptr<CheckJob> job) { checkers_.pushToRoom(std::move(job)); }
  bool read(ReadJob job) { return readers_.push(std::move(job)); }

 private:
  void runVerify(std::shared_ptr<Piece> piece);
  void finishVerify(std::shared_ptr<Piece> piece);
  void runWrite(const Piece& piece);
  void runRead(const ReadJob& job);
  void readUnits(const ReadJob& job, Unit first, const Slabs& slabs);

  static constexpr std::size_t kReads = 16'384;
  static constexpr std::size_t kChecks = 16'384;

  SlabPool& pool_;
  DiskFigures& figures_;
  // In this order: verifiers, who hand on to the writers, end first.
  Crew<std::shared_ptr<Piece>> writers_;
  Crew<std::shared_ptr<Piece>> verifiers_;
  Crew<ReadJob> readers_;
  Crew<std::unique_ptr<CheckJob>> checkers_;
};

}  // namespace torrx
