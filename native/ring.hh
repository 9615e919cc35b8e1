// The lock-free ring of one window: unit u lives in slot u mod 2^18 as long as it is in the window's range.
//
// Producers (any threads) publish; ONE consumer moves the range, sweeps, waits. Everybody may take (a reference of what
// a slot refers to) and drop.
//
// A slot is one word, [unit+1 : 38][state : 2][slab or errno : 24], 0 when empty. A filled slot owns one reference
// (Holder::window) of its slab; whoever replaces the word by CAS owns what the old word owned. So references are conserved
// whatever the interleaving, and nobody ever waits for anybody.
//
// The range is one word too, [lo : 44][length : 20], so that a seek is seen whole. Its length is at most the number of
// slots: two units of one range never share a slot, and a word of another unit in the slot of a unit in range is always
// a left-over that may be replaced.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "slab_pool.hh"

namespace torrx {

class Ring {
 public:
  static constexpr std::uint64_t kSlots = 1u << 18;
  static constexpr Unit kMaxUnit = (Unit{1} << 38) - 2;

  enum class State : std::uint64_t { empty, loading, filled, failed };
  struct Content {
    State state = State::empty;
    std::uint32_t value = 0;  // slab when filled, errno when failed
  };

  explicit Ring(SlabPool& pool) : pool_(pool) {}
  ~Ring();  // nobody uses it any more; gives back what is left
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Any thread.

  /** The caller holds a reference of its own and keeps it. True when the unit was stored by this call and was in range
   *  after that. Then, and after every other change of a slot, the caller must look at takeWaiting. */
  bool publish(Unit unit, SlabIndex slab);
  /** A reference (Holder::other) of the slab that holds the unit now. */
  std::optional<SlabIndex> take(Unit unit);
  /** What the slot says of this unit at this moment. */
  Content look(Unit unit) const;
  /** Removes the unit if its slot is in `state` (for filled: whatever the slab). */
  void clear(Unit unit, State state);
  /** loading → failed. */
  void fail(Unit unit, int errnoCode);
  UnitRange range() const;

  /** True for exactly one caller after the consumer began to wait for a unit in [lo, hi): it must wake the consumer. */
  bool takeWaiting(Unit lo, Unit hi);
  bool isWaitingFor(Unit unit) const;

  // The consumer alone.

  /** Moves the range and gives back everything that left it. Length at most kSlots. */
  void setRange(UnitRange range);
  /** Not filled, not loading → loading; false if it is one of these. The unit is in range. */
  bool markLoading(Unit unit);
  /** From here on a change of the unit's slot (or whatever calls takeWaiting) wakes; look again at everything that was
   *  looked at before, as it may have changed just before. */
  void beginWaiting(Unit unit);
  void endWaiting();

 private:
  using Word = std::uint64_t;
  std::atomic<Word>& slot(Unit unit) const { return slots_.word(unit & (kSlots - 1)); }
  bool store(Unit unit, SlabIndex slab);
  void sweep(Unit lo, Unit hi);
  void releaseOf(Word word);

  SlabPool& pool_;
  const Mapping slots_ = mapWords(kSlots);
  std::atomic<std::uint64_t> range_{0};
  std::atomic<std::uint64_t> waiting_{0};  // unit+1 the consumer sleeps for, 0: it does not
};

}  // namespace torrx
