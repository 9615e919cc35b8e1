#include "window.hh"

#include <algorithm>
#include <cerrno>

#include "torrent.hh"

namespace torrx {

namespace {

constexpr auto kSeqCst = std::memory_order_seq_cst;

ReadStatus statusOf(TorrentState state) {
  switch (state) {
    case TorrentState::fine: return ReadStatus::waiting;
    case TorrentState::gone: return ReadStatus::gone;
    case TorrentState::diskFull: return ReadStatus::diskFull;
    case TorrentState::diskError: return ReadStatus::diskError;
    case TorrentState::dataConflict: return ReadStatus::dataConflict;
    case TorrentState::internal: return ReadStatus::internal;
  }
  return ReadStatus::internal;
}

}  // namespace

Window::Window(Token token, std::shared_ptr<Torrent> torrent, ByteSpan file, Outside outside)
    : token_(token),
      torrent_(std::move(torrent)),
      file_(file),
      fileUnits_{geometry().unitAt(file.start), geometry().unitAt(file.end - 1) + 1},
      pool_(outside.pool),
      waker_(outside.waker),
      disk_(outside.disk),
      ring_(outside.pool) {}

const Geometry& Window::geometry() const { return torrent_->geometry(); }

FileSpan Window::spanInFile(Unit unit) const {
  const ByteSpan whole = geometry().spanOf(unit);
  const std::uint64_t start = std::max(whole.start, file_.start);
  const std::uint64_t end = std::min(whole.end, file_.end);
  return {start - file_.start, static_cast<std::uint32_t>(start - whole.start),
          static_cast<std::uint32_t>(end - start)};
}

// Consumer: the range.

void Window::setSource(std::shared_ptr<const File> file) {
  source_ = std::move(file);
  wakeAny();
}

void Window::shape(const WindowShape& shape) {
  aheadUnits_ = std::clamp<std::uint64_t>(shape.aheadBytes / kSlabBytes, 1, Ring::kSlots);
  behindUnits_ = std::min(shape.behindBytes / kSlabBytes, Ring::kSlots - aheadUnits_);
  plannedAt_ = kNowhere;
  readAheadUnits_ = std::clamp<std::uint64_t>(shape.readAheadBytes / kSlabBytes, 1, aheadUnits_);
  if (!isClosed_ && ring_.range().hi > 0) moveTo(geometry().unitAt(file_.start + atBytes_));
}

/** Counted in units, not bytes, as memory goes by slabs: a short unit takes a whole one. */
void Window::moveTo(Unit playhead) {
  ring_.setRange({playhead - std::min(behindUnits_, playhead - fileUnits_.lo),
                  playhead + std::min(aheadUnits_, fileUnits_.hi - playhead)});
}

void Window::close() {
  if (isClosed_) return;
  isClosed_ = true;
  torrent_->removeWindow(*this);
  ring_.setRange({});
  ring_.endWaiting();
  source_.reset();
}

// Consumer: reading.

ReadResult Window::read(std::uint64_t atBytes, std::uint64_t maxBytes) {
  if (isClosed_ || maxBytes == 0 || atBytes >= file_.end - file_.start) return {ReadStatus::unreadable, {}, EINVAL};
  if (torrent_->state() == TorrentState::gone) return {ReadStatus::gone, {}};
  const Unit unit = geometry().unitAt(file_.start + atBytes);
  atBytes_ = atBytes;
  moveTo(unit);
  const auto chunk = takeRun(atBytes, maxBytes);
  if (!chunk) return waitFor(unit, atBytes, maxBytes);
  ring_.endWaiting();  // of an earlier read elsewhere
  if (plannedAt_ != unit) planReads();
  return served(*chunk, atBytes);
}

/** Everything that may end the wait is looked at after beginWaiting, so that a change is either seen here or wakes. */
ReadResult Window::waitFor(Unit unit, std::uint64_t atBytes, std::uint64_t maxBytes) {
  // A read ahead may have failed long ago: it is tried again now that it matters.
  if (missedAt_ != atBytes) ring_.clear(unit, Ring::State::failed);
  if (orders::kLookAgain) ring_.beginWaiting(unit);
  planReads();
  if (const auto chunk = takeRun(atBytes, maxBytes)) {
    ring_.endWaiting();
    return served(*chunk, atBytes);
  }
  if (const auto fault = faultAt(unit)) {
    ring_.endWaiting();
    return *fault;
  }
  if (!orders::kLookAgain) ring_.beginWaiting(unit);
  if (missedAt_ != atBytes) ++misses_;
  missedAt_ = atBytes;
  return {ReadStatus::waiting, {}};
}

/** A torrent's fault matters only where the bytes are not on disk. A failed read is told once, then tried again. */
std::optional<ReadResult> Window::faultAt(Unit unit) {
  const Ring::Content content = ring_.look(unit);
  if (content.state == Ring::State::failed) {
    ring_.clear(unit, Ring::State::failed);
    return ReadResult{ReadStatus::unreadable, {}, static_cast<int>(content.value)};
  }
  const TorrentState state = torrent_->state();
  const bool isHopeless = state == TorrentState::gone || !torrent_->has(geometry().pieceOf(unit));
  if (state != TorrentState::fine && isHopeless) return ReadResult{statusOf(state), {}};
  return std::nullopt;
}

/** A read that had to wait was counted when it began to. */
ReadResult Window::served(const Chunk& chunk, std::uint64_t atBytes) {
  if (missedAt_ != atBytes) ++hits_;
  missedAt_ = kNowhere;
  return {ReadStatus::chunk, chunk};
}

std::optional<Chunk> Window::takeRun(std::uint64_t atBytes, std::uint64_t maxBytes) {
  const Unit unit = geometry().unitAt(file_.start + atBytes);
  const auto slab = ring_.take(unit);
  if (!slab) return std::nullopt;
  const FileSpan span = spanInFile(unit);
  const auto skipped = static_cast<std::uint32_t>(atBytes - span.atInFile);
  Chunk chunk{*slab, 1, span.atInSlab + skipped, span.length - skipped};
  while (chunk.length < maxBytes && extend(chunk, unit + chunk.slabs)) {
  }
  chunk.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(chunk.length, maxBytes));
  return chunk;
}

bool Window::extend(Chunk& chunk, Unit next) {
  const SlabIndex wanted = chunk.slab + chunk.slabs;
  const bool isWholeSoFar = chunk.offset + chunk.length == chunk.slabs * kSlabBytes;
  if (!isWholeSoFar || wanted % kSlabsPerRegion == 0 || !fileUnits_.contains(next)) return false;
  const Ring::Content content = ring_.look(next);  // cheaper than take, and mostly right
  if (content.state != Ring::State::filled || content.value != wanted) return false;
  const auto slab = ring_.take(next);
  if (!slab) return false;
  if (*slab != wanted) {
    pool_.unref(*slab);
    return false;
  }
  chunk.slabs += 1;
  chunk.length += spanInFile(next).length;
  return true;
}

// Consumer: filling from the other windows of the file and from disk.

/** A job that gets no memory ends at once and wakes the consumer; if that asked again for the same, neither of the two
 *  would ever rest. So without room only the unit at the playhead is asked for, which gets memory in any case. */
void Window::planReads() {
  const Unit playhead = geometry().unitAt(file_.start + atBytes_);
  const Unit wanted = pool_.hasRoom(kJobUnits) ? readAheadUnits_ : 1;
  const UnitRange ahead{playhead, std::min(playhead + wanted, ring_.range().hi)};
  plannedAt_ = playhead;
  const std::uint64_t losses = torrent_->losses();  // before any look at what is had
  torrent_->shareWith(*this, ahead);
  const Unit middle = ahead.lo + (ahead.hi - ahead.lo) / 2;
  Unit unit = ahead.lo;
  while (unit < ahead.hi && source_ && readsUnderWay_.load(kSeqCst) < kMaxReads) {
    Unit end = unit;
    while (end < ahead.hi && end - unit < kJobUnits && needsRead(end)) ++end;
    // The far end grows by single units as the window slides; it is asked for in whole jobs.
    if (end == ahead.hi && end - unit < kJobUnits && unit > middle) return;
    if (end > unit) request({unit, end}, losses);
    unit = std::max(end, unit + 1);
  }
}

bool Window::needsRead(Unit unit) const {
  return ring_.look(unit).state == Ring::State::empty && torrent_->has(geometry().pieceOf(unit));
}

void Window::request(UnitRange units, std::uint64_t losses) {
  for (Unit unit = units.lo; unit < units.hi; ++unit) ring_.markLoading(unit);
  readsUnderWay_.fetch_add(1, kSeqCst);
  ReadJob job{shared_from_this(), source_, units.lo, static_cast<std::uint32_t>(units.hi - units.lo), losses};
  if (disk_.enqueue(ReadJob(job))) ++diskReads_;
  else finishRead(job);
}

/** A mark stands for a job under way, and the end of that job clears it in every window of the file at once (changeFamily),
 *  never between two of them: else each of two windows could take over the mark of the other for ever. */
void Window::shareFrom(Window& other, UnitRange units) {
  for (Unit unit = units.lo; unit < units.hi; ++unit) {
    if (ring_.look(unit).state != Ring::State::empty) continue;
    if (other.ring_.look(unit).state == Ring::State::loading) ring_.markLoading(unit);
    if (const auto slab = other.ring_.take(unit)) {
      ring_.publish(unit, *slab);
      pool_.unref(*slab);
    }
  }
}

// Producers.

void Window::publish(std::uint64_t piece, std::span<const SlabIndex> slabs) {
  const UnitRange range = ring_.range();
  const Unit first = geometry().firstUnitOf(piece);
  if (first >= range.hi || first + slabs.size() <= range.lo) return;
  for (std::size_t i = 0; i < slabs.size(); ++i) ring_.publish(first + i, slabs[i]);
  wakeFor({first, first + slabs.size()});
}

void Window::fill(const ReadJob& job, Unit unit, SlabIndex slab) {
  const auto family = torrent_->changeFamily(*this, [&](Window& window) {
    if (isCurrent(job)) window.ring_.publish(unit, slab);
  });
  for (const auto& window : family) window->wakeFor({unit, unit + 1});
}

void Window::readFailed(const ReadJob& job, Unit unit, int errnoCode) {
  torrent_->changeFamily(*this, [&](Window& window) {
    if (&window == this && isCurrent(job)) ring_.fail(unit, errnoCode);
  });
  wakeFor({unit, unit + 1});
}

bool Window::isCurrent(const ReadJob& job) const { return torrent_->losses() == job.losses; }

/** Wakes also without a change of a slot: the consumer may have found no job free, or relied on this one. */
void Window::finishRead(const ReadJob& job) {
  const UnitRange units{job.first, job.first + job.count};
  const auto family = torrent_->changeFamily(*this, [&](Window& window) {
    for (Unit unit = units.lo; unit < units.hi; ++unit) window.ring_.clear(unit, Ring::State::loading);
  });
  for (const auto& window : family) window->wakeFor(units);
  readsUnderWay_.fetch_sub(1, kSeqCst);
  wakeAny();
}

bool Window::wants(const ReadJob& job) const {
  const UnitRange range = ring_.range();
  return isCurrent(job) && job.first < range.hi && job.first + job.count > range.lo;
}

void Window::wakeFor(UnitRange units) {
  if (ring_.takeWaiting(units.lo, units.hi)) waker_.wake(token_);
}

void Window::dropPiece(std::uint64_t piece) {
  const Unit first = geometry().firstUnitOf(piece);
  for (Unit unit = first; unit < first + geometry().slabsPerPiece(); ++unit) {
    ring_.clear(unit, Ring::State::filled);
    ring_.clear(unit, Ring::State::failed);
  }
}

WindowFigures Window::figures() const {
  const UnitRange range = ring_.range();
  WindowFigures figures{0, 0, 0, hits_, misses_, diskReads_};
  for (Unit unit = range.lo; unit < range.hi; ++unit) figures.bytes += isFilled(unit) ? kSlabBytes : 0;
  const Unit playhead = geometry().unitAt(file_.start + atBytes_);
  const FileSpan here = spanInFile(playhead);
  std::uint64_t end = atBytes_;
  for (Unit unit = playhead; unit < range.hi && isFilled(unit); ++unit) {
    end = spanInFile(unit).atInFile + spanInFile(unit).length;
  }
  figures.aheadBytes = end - atBytes_;
  std::uint64_t start = isFilled(playhead) ? here.atInFile : atBytes_;
  for (Unit unit = playhead; start == spanInFile(unit).atInFile && unit-- > range.lo && isFilled(unit);) {
    start = spanInFile(unit).atInFile;
  }
  figures.behindBytes = atBytes_ - start;
  return figures;
}

}  // namespace torrx
