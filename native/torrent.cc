#include "torrent.hh"

#include <algorithm>
#include <bit>

namespace torrx {

namespace {

/** Seq_cst: a consumer writes waiting and reads these; who changes them reads waiting afterwards (orders.hh, pair 2). */
constexpr auto kSeqCst = std::memory_order_seq_cst;

std::uint64_t bitOf(std::uint64_t piece) { return std::uint64_t{1} << piece % 64; }

/** Bits 64·index … of a wire-order bitmap, lowest piece in the lowest bit. */
std::uint64_t wordOf(std::span<const std::uint8_t> bits, std::size_t index) {
  std::uint64_t word = 0;
  for (std::size_t piece = index * 64; piece < index * 64 + 64 && piece / 8 < bits.size(); ++piece) {
    if (bits[piece / 8] >> (7 - piece % 8) & 1) word |= bitOf(piece);
  }
  return word;
}

}  // namespace

Torrent::Torrent(const InfoHash& infoHash, const Geometry& geometry)
    : infoHash_(infoHash), geometry_(geometry), have_((geometry.pieces() + kWordBits - 1) / kWordBits) {}

bool Torrent::has(std::uint64_t piece) const {
  return piece < geometry_.pieces() && (have_[piece / kWordBits].load(kSeqCst) & bitOf(piece)) != 0;
}

void Torrent::setHave(std::span<const std::uint8_t> bits) {
  for (std::size_t i = 0; i < have_.size(); ++i) replaceWord(i, wordOf(bits, i));
  for (const auto& window : windows()) window->wakeAny();
}

void Torrent::replaceWord(std::size_t index, std::uint64_t next) {
  const std::lock_guard lock(mutex_);
  std::uint64_t lost = have_[index].exchange(next, kSeqCst) & ~next;
  for (; lost != 0; lost &= lost - 1) lose(index * kWordBits + std::countr_zero(lost));
}

void Torrent::addHave(std::uint64_t piece) {
  if (piece >= geometry_.pieces()) return;
  have_[piece / kWordBits].fetch_or(bitOf(piece), kSeqCst);
  const Unit first = geometry_.firstUnitOf(piece);
  for (const auto& window : windows()) window->wakeFor({first, first + geometry_.slabsPerPiece()});
}

void Torrent::removeHave(std::uint64_t piece) {
  if (piece >= geometry_.pieces()) return;
  const std::lock_guard lock(mutex_);
  have_[piece / kWordBits].fetch_and(~bitOf(piece), kSeqCst);
  lose(piece);
}

/** Counted after the bit was cleared: who read losses_ first and then saw the bit, read less than this makes it. */
void Torrent::lose(std::uint64_t piece) {
  losses_.fetch_add(1, kSeqCst);
  for (const auto& window : windows_) window->dropPiece(piece);
}

void Torrent::setState(TorrentState next) {
  TorrentState before = state_.load(kSeqCst);
  do {
    if (before == TorrentState::gone) return;
  } while (!state_.compare_exchange_weak(before, next, kSeqCst));
  for (const auto& window : windows()) window->wakeAny();
}

void Torrent::publish(std::uint64_t piece, std::span<const SlabIndex> slabs) {
  for (const auto& window : windows()) window->publish(piece, slabs);
}

void Torrent::addWindow(const std::shared_ptr<Window>& window) {
  const std::lock_guard lock(mutex_);
  windows_.push_back(window);
  windowCount_.store(windows_.size(), std::memory_order_relaxed);
}

void Torrent::removeWindow(const Window& window) {
  const std::lock_guard lock(mutex_);
  std::erase_if(windows_, [&](const auto& other) { return other.get() == &window; });
  windowCount_.store(windows_.size(), std::memory_order_relaxed);
}

bool Torrent::isWatched() const {
  const std::lock_guard lock(mutex_);
  return !windows_.empty();
}

std::vector<std::shared_ptr<Window>> Torrent::windows() const {
  const std::lock_guard lock(mutex_);
  return windows_;
}

void Torrent::shareWith(Window& window, UnitRange units) {
  if (windowCount_.load(std::memory_order_relaxed) < 2) return;
  const std::lock_guard lock(mutex_);
  for (const auto& other : windows_) {
    if (other.get() != &window && other->isSameFileAs(window)) window.shareFrom(*other, units);
  }
}

Token TorrentTable::open(const InfoHash& infoHash, const Geometry& geometry) {
  if (geometry.pieceLength == 0 || geometry.totalBytes == 0) return 0;
  if (geometry.pieces() > Ring::kMaxUnit / geometry.slabsPerPiece()) return 0;
  const std::lock_guard lock(mutex_);
  if (byHash_.contains(infoHash)) return 0;
  const Token token = table_.insert([&](Token) { return std::make_shared<Torrent>(infoHash, geometry); });
  if (token != 0) byHash_.emplace(infoHash, token);
  return token;
}

Token TorrentTable::find(const InfoHash& infoHash) const {
  const std::lock_guard lock(mutex_);
  const auto found = byHash_.find(infoHash);
  return found == byHash_.end() ? 0 : found->second;
}

bool TorrentTable::close(Token token) {
  std::shared_ptr<Torrent> torrent;
  {
    const std::lock_guard lock(mutex_);
    torrent = table_.remove(token);
    if (!torrent) return false;
    byHash_.erase(torrent->infoHash());
  }
  torrent->setState(TorrentState::gone);
  return true;
}

Token TorrentTable::renew(Token token) {
  std::shared_ptr<Torrent> before;
  Token next = 0;
  {
    const std::lock_guard lock(mutex_);
    before = table_.get(token);
    if (!before) return 0;
    next = table_.insert([&](Token) { return std::make_shared<Torrent>(before->infoHash(), before->geometry()); });
    if (next == 0) return 0;
    table_.remove(token);
    byHash_[before->infoHash()] = next;
  }
  before->setState(TorrentState::gone);
  return next;
}

Token WindowTable::open(const std::shared_ptr<Torrent>& torrent, ByteSpan file, Window::Outside outside) {
  if (file.start >= file.end || file.end > torrent->geometry().totalBytes) return 0;
  std::shared_ptr<Window> window;
  const Token token = table_.insert(
      [&](Token own) { return window = std::make_shared<Window>(own, torrent, file, outside); });
  if (window) torrent->addWindow(window);
  return token;
}

bool WindowTable::close(Token token) {
  const std::shared_ptr<Window> window = table_.remove(token);
  if (window) window->close();
  return window != nullptr;
}

}  // namespace torrx
