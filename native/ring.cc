#include "ring.hh"

namespace torrx {

namespace {

constexpr unsigned kValueBits = 24;
constexpr unsigned kUnitShift = 26;
constexpr unsigned kLengthBits = 20;

constexpr std::uint64_t pack(Unit unit, Ring::State state, std::uint64_t value) {
  return ((unit + 1) << kUnitShift) | (static_cast<std::uint64_t>(state) << kValueBits) | value;
}
constexpr bool isOf(std::uint64_t word, Unit unit) { return word >> kUnitShift == unit + 1; }
constexpr Ring::State stateOf(std::uint64_t word) { return static_cast<Ring::State>(word >> kValueBits & 3); }
constexpr std::uint32_t valueOf(std::uint64_t word) { return word & ((1u << kValueBits) - 1); }
constexpr bool isFilled(std::uint64_t word, Unit unit) {
  return isOf(word, unit) && stateOf(word) == Ring::State::filled;
}

static_assert(SlabPool::kMaxSlabs <= 1u << kValueBits);
static_assert(Ring::kSlots < 1u << kLengthBits);
static_assert(((Ring::kMaxUnit + 1) << kUnitShift) >> kUnitShift == Ring::kMaxUnit + 1);

}  // namespace

Ring::~Ring() {
  const UnitRange left = range();
  sweep(left.lo, left.hi);
}

UnitRange Ring::range() const {
  const std::uint64_t word = range_.load(orders::kRangeLoad);
  const Unit lo = word >> kLengthBits;
  return {lo, lo + (word & ((1u << kLengthBits) - 1))};
}

bool Ring::publish(Unit unit, SlabIndex slab) {
  // A loop, because the range may come back while the unit is being withdrawn: in the end the unit is in the ring and
  // was in range after that, or it was not in range after it had been withdrawn.
  while (range().contains(unit)) {
    if (!store(unit, slab)) return false;
    if (!orders::kRecheckRange || range().contains(unit)) return true;
    // The word may by now be another producer's equal one; its reference is the same, and that unit is out of range or
    // stored again by the next round.
    Word expected = pack(unit, State::filled, slab);
    if (slot(unit).compare_exchange_strong(expected, 0, orders::kSlot)) releaseOf(pack(unit, State::filled, slab));
  }
  return false;
}

/** False when the unit is there already. Whatever else the slot says may be replaced: a mark or a failure of this unit,
 *  or a left-over of a unit out of range. */
bool Ring::store(Unit unit, SlabIndex slab) {
  std::atomic<Word>& target = slot(unit);
  Word old = target.load(orders::kSlot);
  if (isFilled(old, unit)) return false;
  pool_.ref(slab, Holder::window);  // before it can be seen
  while (!target.compare_exchange_weak(old, pack(unit, State::filled, slab), orders::kPublish, orders::kPublish)) {
    if (isFilled(old, unit)) {
      pool_.unref(slab, Holder::window);
      return false;
    }
  }
  releaseOf(old);
  return true;
}

void Ring::releaseOf(Word word) {
  if (stateOf(word) == State::filled) pool_.unref(valueOf(word), Holder::window);
}

std::optional<SlabIndex> Ring::take(Unit unit) {
  for (;;) {  // again only when somebody changed the slot
    const Word word = slot(unit).load(orders::kSlot);
    if (!isFilled(word, unit)) return std::nullopt;
    if (!pool_.tryRef(valueOf(word))) continue;
    if (!orders::kRecheckTake || slot(unit).load(orders::kSlot) == word) return valueOf(word);
    pool_.unref(valueOf(word));
  }
}

Ring::Content Ring::look(Unit unit) const {
  const Word word = slot(unit).load(orders::kSlot);
  if (!isOf(word, unit)) return {};
  return {stateOf(word), valueOf(word)};
}

void Ring::clear(Unit unit, State state) {
  Word word = slot(unit).load(orders::kSlot);
  while (isOf(word, unit) && stateOf(word) == state) {
    if (!slot(unit).compare_exchange_weak(word, 0, orders::kSlot)) continue;
    return releaseOf(word);
  }
}

void Ring::fail(Unit unit, int errnoCode) {
  Word loading = pack(unit, State::loading, 0);
  slot(unit).compare_exchange_strong(loading, pack(unit, State::failed, static_cast<std::uint32_t>(errnoCode)),
                                     orders::kSlot);
}

bool Ring::markLoading(Unit unit) {
  Word word = slot(unit).load(orders::kSlot);
  do {
    if (isFilled(word, unit) || (isOf(word, unit) && stateOf(word) == State::loading)) return false;
  } while (!slot(unit).compare_exchange_weak(word, pack(unit, State::loading, 0), orders::kSlot));
  releaseOf(word);
  return true;
}

void Ring::setRange(UnitRange next) {
  const UnitRange old = range();
  if (next == old) return;
  range_.store((next.lo << kLengthBits) | (next.hi - next.lo), orders::kRangeStore);
  sweep(old.lo, std::min(old.hi, next.lo));
  sweep(std::max(old.lo, next.hi), old.hi);
}

/** Words of other units are not ours to clear: they are in the new range or their producers withdraw them. */
void Ring::sweep(Unit lo, Unit hi) {
  for (Unit unit = lo; unit < hi; ++unit) {
    Word word = slot(unit).load(orders::kSlot);
    while (isOf(word, unit) && !slot(unit).compare_exchange_weak(word, 0, orders::kSlot)) {
    }
    if (isOf(word, unit)) releaseOf(word);
  }
}

void Ring::beginWaiting(Unit unit) { waiting_.store(unit + 1, orders::kWaitingStore); }

/** Relaxed: who has seen it may still wake, which is allowed to be early. */
void Ring::endWaiting() { waiting_.store(0, std::memory_order_relaxed); }

bool Ring::takeWaiting(Unit lo, Unit hi) {
  Word waiting = waiting_.load(orders::kWaitingLoad);
  while (waiting > lo && waiting <= hi) {
    if (waiting_.compare_exchange_weak(waiting, 0, orders::kWaitingLoad)) return true;
  }
  return false;
}

bool Ring::isWaitingFor(Unit unit) const { return waiting_.load(orders::kWaitingLoad) == unit + 1; }

}  // namespace torrx
