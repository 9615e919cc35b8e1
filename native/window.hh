// One viewer's window on one file of one torrent: what is kept around the playhead, and from where it is filled.
//
// Threading: the members under "consumer" are for the one JavaScript thread that opened the window (and its cleanup);
// those under "producers" are for any thread. A closed window stays harmless: its range is empty, so nothing stays in
// its ring and nobody is woken. Whoever works for a window holds a shared_ptr of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "disk_reads.hh"
#include "ring.hh"

namespace torrx {

class Torrent;

/** Physically contiguous bytes in a pinned run of slabs that never crosses a region. */
struct Chunk {
  SlabIndex slab = 0;
  std::uint32_t slabs = 0;   // references held: one (Holder::other) of each
  std::uint32_t offset = 0;  // of the first byte in the first slab
  std::uint32_t length = 0;
};

enum class ReadStatus { chunk, waiting, gone, diskFull, diskError, dataConflict, internal, unreadable };

struct ReadResult {
  ReadStatus status;
  Chunk chunk;        // with status chunk: its references are the caller's, given back by SlabPool::unref (PinTable)
  int errnoCode = 0;  // with status unreadable
};

struct WindowShape {
  std::uint64_t behindBytes = 0;
  std::uint64_t aheadBytes = 0;
  std::uint64_t readAheadBytes = 0;  // how far ahead the disk is read
};

struct WindowFigures {
  std::uint64_t bytes;        // memory its ring refers to, whether shared or not
  std::uint64_t aheadBytes;   // of the file, without a gap from the playhead on
  std::uint64_t behindBytes;  // of the file, without a gap before the playhead
  std::uint64_t hits, misses, diskReads;
};

/** Where the file's part of a unit lies. */
struct FileSpan {
  std::uint64_t atInFile;
  std::uint32_t atInSlab;
  std::uint32_t length;
};

class Window : public std::enable_shared_from_this<Window> {
 public:
  static constexpr std::uint32_t kMaxReads = 4;   // jobs under way
  static constexpr std::uint32_t kJobUnits = 16;  // 1 MiB

  struct Outside {
    SlabPool& pool;
    Waker& waker;
    DiskReads& disk;
  };

  /** Made by WindowTable::open. `file`: bytes of the torrent, not empty, inside of it. */
  Window(Token token, std::shared_ptr<Torrent> torrent, ByteSpan file, Outside outside);

  // Consumer.

  void setSource(std::shared_ptr<const File> file);
  void shape(const WindowShape& shape);
  /** Moves the playhead to atBytes of the file (inside of it) and says what is there: up to maxBytes (at least 1), or
   *  why not. After `waiting` the waker is called once, as soon as it is worth while to read again; it may be early. */
  ReadResult read(std::uint64_t atBytes, std::uint64_t maxBytes);
  WindowFigures figures() const;
  /** Gives everything back. Called by WindowTable::close. */
  void close();

  // Producers.

  /** The slabs of a verified piece, one per unit; the caller keeps its references. */
  void publish(std::uint64_t piece, std::span<const SlabIndex> slabs);
  /** A unit read from disk: goes to all windows of the same file that want it, if the torrent has lost no piece since the
   *  job was made. The caller keeps its reference. */
  void fill(const ReadJob& job, Unit unit, SlabIndex slab);
  void readFailed(const ReadJob& job, Unit unit, int errnoCode);
  void finishRead(const ReadJob& job);
  /** Is any unit of the job still in range, and worth to be read? */
  bool wants(const ReadJob& job) const;
  bool isWaitingFor(Unit unit) const { return ring_.isWaitingFor(unit); }
  /** Constant facts. */
  FileSpan spanInFile(Unit unit) const;
  ByteSpan file() const { return file_; }
  Token token() const { return token_; }
  bool isSameFileAs(const Window& other) const { return file_.start == other.file_.start && file_.end == other.file_.end; }

  // For Torrent.

  /** Wakes the consumer if it waits for a unit in [lo, hi). */
  void wakeFor(UnitRange units);
  void wakeAny() { wakeFor({0, Ring::kMaxUnit + 1}); }
  /** What the disk no longer vouches for. */
  void dropPiece(std::uint64_t piece);
  /** Consumer, under the torrent's mutex: what another window of the same file has, or is about to have. */
  void shareFrom(Window& other, UnitRange units);

 private:
  static constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

  const Geometry& geometry() const;
  void moveTo(Unit playhead);
  std::optional<Chunk> takeRun(std::uint64_t atBytes, std::uint64_t maxBytes);
  bool extend(Chunk& chunk, Unit next);
  ReadResult waitFor(Unit unit, std::uint64_t atBytes, std::uint64_t maxBytes);
  std::optional<ReadResult> faultAt(Unit unit);
  ReadResult served(const Chunk& chunk, std::uint64_t atBytes);
  void planReads();
  bool needsRead(Unit unit) const;
  void request(UnitRange units, std::uint64_t losses);
  bool isCurrent(const ReadJob& job) const;
  bool isFilled(Unit unit) const { return ring_.look(unit).state == Ring::State::filled; }

  const Token token_;
  const std::shared_ptr<Torrent> torrent_;
  const ByteSpan file_;
  const UnitRange fileUnits_;
  SlabPool& pool_;
  Waker& waker_;
  DiskReads& disk_;
  Ring ring_;
  /** Seq_cst like all that a waiting consumer looks at: decremented, then waiting read (orders.hh, pair 2). */
  std::atomic<std::uint32_t> readsUnderWay_{0};

  // The consumer's own.
  std::shared_ptr<const File> source_;
  std::uint64_t behindUnits_ = 0, aheadUnits_ = 1, readAheadUnits_ = 1;
  std::uint64_t atBytes_ = 0;  // playhead in the file
  Unit plannedAt_ = kNowhere;
  std::uint64_t missedAt_ = kNowhere;
  std::uint64_t hits_ = 0, misses_ = 0, diskReads_ = 0;
  bool isClosed_ = false;
};

}  // namespace torrx
