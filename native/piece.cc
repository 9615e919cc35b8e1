#include "piece.hh"

#include <algorithm>

namespace torrx {

bool Slabs::allocate(std::size_t count, Limit limit) {
  list_.resize(count);
  if (pool_.allocate(list_, limit)) return true;
  list_.clear();
  return false;
}

std::span<std::uint8_t> Slabs::bytesAt(std::uint64_t at, std::uint64_t most) const {
  const std::size_t first = at / kSlabBytes;
  const std::uint64_t offset = at % kSlabBytes;
  std::size_t last = first;
  while (last + 1 < list_.size() && list_[last + 1] == list_[last] + 1 &&
         (last + 1 - first) * kSlabBytes - offset < most) {
    ++last;
  }
  const std::uint64_t length = (last + 1 - first) * kSlabBytes - offset;
  return {reinterpret_cast<std::uint8_t*>(pool_.at(list_[first])) + offset, std::min(length, most)};
}

bool Piece::write(std::uint64_t at, std::span<const std::uint8_t> bytes) {
  if (at > length() || bytes.size() > length() - at) return false;
  // relaxed: both are stored by this thread alone.
  if (isSealed_.load(std::memory_order_relaxed) || at < advanced_.load(std::memory_order_relaxed)) return true;
  while (!bytes.empty()) {
    const std::span<std::uint8_t> target = slabs_.bytesAt(at, bytes.size());
    std::copy_n(bytes.data(), target.size(), target.data());
    at += target.size();
    bytes = bytes.subspan(target.size());
  }
  return true;
}

bool Piece::advance(std::uint64_t bytes) {
  if (bytes > length()) return false;
  if (isSealed_.load(std::memory_order_relaxed) || bytes <= advanced_.load(std::memory_order_relaxed)) return true;
  // release: pairs with the acquire in hash; a verifier that sees it without having had it from turn_ (its turn was
  // running already) sees the bytes as well.
  advanced_.store(bytes, std::memory_order_release);
  return true;
}

bool Piece::copy(std::uint64_t at, std::span<std::uint8_t> target) const {
  if (at > length() || target.size() > length() - at) return false;
  while (!target.empty()) {
    const std::span<std::uint8_t> source = slabs_.bytesAt(at, target.size());
    std::copy_n(source.data(), source.size(), target.data());
    at += source.size();
    target = target.subspan(source.size());
  }
  return true;
}

void Piece::seal(Settlement settlement) {
  settlement_ = std::move(settlement);
  // release: as in advance; also covers settlement_.
  isSealed_.store(true, std::memory_order_release);
}

// Every outcome is a read-modify-write (acq_rel), also queued → queued: if it comes before the verifier's exchange in
// beginTurn, that one reads from it (or from a later one of its release sequence) and sees all that the owner stored;
// if it comes after, it finds `running` and asks for another turn. So nothing that was advanced is left unhashed.
bool Piece::wantTurn() {
  Turn turn = turn_.load(std::memory_order_relaxed);
  for (;;) {
    const bool isFree = turn == Turn::none;
    const bool isRunning = turn == Turn::running;
    const Turn next = isFree ? Turn::queued : isRunning ? Turn::runningAndWanted : turn;
    if (turn_.compare_exchange_weak(turn, next, std::memory_order_acq_rel, std::memory_order_relaxed)) return isFree;
  }
}

void Piece::beginTurn() { turn_.exchange(Turn::running, std::memory_order_acq_rel); }

bool Piece::goesOn() {
  Turn turn = Turn::running;
  // release on success: the next verifier's exchange, by way of wantTurn, sees sha1_ and hashed_ as we leave them.
  if (turn_.compare_exchange_strong(turn, Turn::none, std::memory_order_acq_rel)) return false;
  beginTurn();
  return true;
}

std::uint64_t Piece::hashableEnd() const {
  if (isSealed_.load(std::memory_order_acquire)) return length();
  return advanced_.load(std::memory_order_acquire);
}

void Piece::hashTogether(Piece& first, Piece& second) {
  const std::uint64_t firstEnd = first.hashableEnd();
  const std::uint64_t secondEnd = second.hashableEnd();
  while (first.hashed_ < firstEnd && second.hashed_ < secondEnd) {
    const auto one = first.slabs_.bytesAt(first.hashed_, firstEnd - first.hashed_);
    const auto other = second.slabs_.bytesAt(second.hashed_, secondEnd - second.hashed_);
    const std::size_t length = std::min(one.size(), other.size());
    Sha1::updateTwo(first.sha1_, one.first(length), second.sha1_, other.first(length));
    first.hashed_ += length;
    second.hashed_ += length;
  }
}

bool Piece::hash() {
  // In this order: if it is sealed, nothing changes any more.
  const bool isSealed = isSealed_.load(std::memory_order_acquire);
  const std::uint64_t end = isSealed ? length() : advanced_.load(std::memory_order_acquire);
  while (hashed_ < end) {
    const std::span<std::uint8_t> bytes = slabs_.bytesAt(hashed_, end - hashed_);
    sha1_.update(bytes);
    hashed_ += bytes.size();
  }
  return isSealed;
}

Token PieceTable::take(Piece::Place place) {
  const auto forget = [this](Piece* piece) {
    bytes_.fetch_sub(piece->memoryBytes(), std::memory_order_relaxed);
    std::default_delete<Piece>()(piece);
    // release: who sees (acquire, in size) that it is gone sees its slabs back in the pool.
    count_.fetch_sub(1, std::memory_order_release);
  };
  const bool isRoom = count_.fetch_add(1, std::memory_order_relaxed) < kCapacity;
  const std::shared_ptr<Piece> piece(std::make_unique<Piece>(pool_, std::move(place)).release(), forget);
  if (!isRoom || !piece->allocate()) return 0;
  bytes_.fetch_add(piece->memoryBytes(), std::memory_order_relaxed);
  return table_.insert([&](Token) { return piece; });
}

}  // namespace torrx
