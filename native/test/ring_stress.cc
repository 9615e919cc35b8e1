// The ring under fire. Each pair of orders.hh has a race of its own, repeated many times, and all of them run together in
// the last test. See the table in test/native/cpp.test.ts for which of them sees which weakening.
#include <array>

#include "../ring.hh"
#include "slab_content.hh"

namespace torrx::test {
namespace {

constexpr Unit kTurn = Ring::kSlots;  // units this far apart share a slot
constexpr SlabIndex kPoolSlabs = 4 * kSlabsPerRegion;

struct World {
  SlabPool pool{kPoolSlabs};
  Ring ring{pool};
  World() { pool.setCapacity(256 * kSlabBytes); }
  ~World() {
    ring.setRange({});
    CHECK(pool.figures().usedBytes == 0);
    CHECK(pool.figures().windowBytes == 0);
  }
};

/** A store that misses the cache keeps a plain store that follows it in the store buffer for a while: what makes a store
 *  that should have been seq_cst, and is not, show itself. */
class Clog {
 public:
  explicit Clog(std::uint64_t start) : random_(start) {}
  void operator()() { lines_[random_(lines_.size())] = 1; }

 private:
  Random random_;
  std::vector<char> lines_ = std::vector<char>(std::size_t{32} << 20);
};

/** Steps per round: after a common start the two threads drift past each other. */
constexpr Unit kSteps = 64;

TEST("stress: a unit published while the range moves away does not stay in the ring") {
  World world;
  Random slow(seed()), slower(seed() + 1);
  Clog clog(seed() + 2);
  SlabIndex slab = 0;
  CHECK(makeSlab(world.pool, 0, slab));
  race(
      [&] {
        pause(slow);
        for (Unit at = 1; at <= kSteps; ++at) {
          clog();
          world.ring.setRange({at, at + 2});
        }
      },
      [&] {
        pause(slower);
        for (Unit unit = 0; unit < kSteps; ++unit) world.ring.publish(unit, slab);
      },
      [&] {
        for (Unit unit = 0; unit < kSteps; ++unit) CHECK(world.ring.look(unit).state == Ring::State::empty);
        world.ring.setRange({0, 2});
        CHECK(world.pool.refs(slab) == 1);
      });
  world.pool.unref(slab);
}

TEST("stress: a consumer that begins to wait sees the unit or is woken") {
  SlabPool pool(kPoolSlabs);
  pool.setCapacity(kSlabBytes);
  std::vector<std::unique_ptr<Ring>> rings;
  std::array<bool, kSteps> isSeen{}, isWoken{};
  for (Unit i = 0; i < kSteps; ++i) rings.push_back(std::make_unique<Ring>(pool));
  const auto unitOf = [](Unit ring) { return ring * 8; };  // a cache line of its own each
  for (Unit i = 0; i < kSteps; ++i) rings[i]->setRange({unitOf(i), unitOf(i) + 1});
  Random slow(seed()), slower(seed() + 1);
  Clog clog(seed() + 2);
  SlabIndex slab = 0;
  CHECK(makeSlab(pool, 0, slab));
  race(
      [&] {
        pause(slow);
        for (Unit i = 0; i < kSteps; ++i) {
          clog();
          rings[i]->beginWaiting(unitOf(i));
          isSeen[i] = rings[i]->look(unitOf(i)).state == Ring::State::filled;
        }
      },
      [&] {
        pause(slower);
        for (Unit i = 0; i < kSteps; ++i) {
          rings[i]->publish(unitOf(i), slab);
          isWoken[i] = rings[i]->takeWaiting(unitOf(i), unitOf(i) + 1);
        }
      },
      [&] {
        for (Unit i = 0; i < kSteps; ++i) {
          CHECK(isSeen[i] || isWoken[i]);
          rings[i]->endWaiting();
          rings[i]->clear(unitOf(i), Ring::State::filled);
        }
      });
  pool.unref(slab);
}

/** Another window's consumer takes from a ring whose own consumer and producers reuse a handful of slabs all the time. */
TEST("stress: what is taken from a ring is what was published, while its slabs are reused") {
  World world;
  world.pool.setCapacity(3 * kSlabBytes);
  world.ring.setRange({0, 4});
  std::atomic<bool> isOver{false};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      Random random(seed() + i);
      while (!isOver.load(std::memory_order_relaxed)) {
        const Unit unit = random(4);
        SlabIndex slab = 0;
        if (makeSlab(world.pool, unit, slab)) {
          world.ring.publish(unit, slab);
          world.pool.unref(slab);
        }
        world.ring.clear(random(4), Ring::State::filled);
      }
    });
  }
  Random random(seed() + 7);
  const Clock clock;
  for (std::uint64_t round = 0; round % 256 != 0 || !clock.isOver(stressTime()); ++round) {
    const Unit unit = random(4);
    const auto slab = world.ring.take(unit);
    if (!slab) continue;
    CHECK(hasContent(world.pool, *slab, unit));
    world.pool.unref(*slab);
  }
  isOver.store(true, std::memory_order_relaxed);
  for (auto& thread : threads) thread.join();
}

/** The whole: one consumer slides, rewinds, seeks (also by whole turns of the ring), resizes, pins and blocks until it is
 *  woken; producers publish near the playhead, and exactly once what the consumer asked for. */
class Crowd {
 public:
  void run(unsigned producers) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < producers; ++i) threads.emplace_back([this, i] { produce(seed() + i); });
    consume();
    isOver_.store(true, std::memory_order_relaxed);
    for (auto& thread : threads) thread.join();
    for (const auto& [unit, slab] : pins_) world_.pool.unref(slab);
    world_.ring.setRange({});
    for (Unit unit = 0; unit < 4 * kTurn; unit = unit % kTurn == 127 ? unit - 127 + kTurn : unit + 1) {
      CHECK(world_.ring.look(unit).state == Ring::State::empty);
    }
    std::printf("  %llu operations\n", static_cast<unsigned long long>(operations_.load()));
  }

 private:
  struct Pin {
    Unit unit;
    SlabIndex slab;
  };

  void produce(std::uint64_t start) {
    Random random(start);
    std::uint64_t done = 0;
    while (!isOver_.load(std::memory_order_relaxed)) {
      const std::uint64_t asked = asked_.exchange(0, std::memory_order_acquire);
      const Unit near = playhead_.load(std::memory_order_relaxed) + random(48);
      const Unit unit = asked ? asked - 1 : near - std::min<Unit>(near % kTurn, 16);
      SlabIndex slab = 0;
      while (!makeSlab(world_.pool, unit, slab)) std::this_thread::yield();
      world_.ring.publish(unit, slab);
      if (world_.ring.takeWaiting(unit, unit + 1)) isWoken_.store(true, std::memory_order_release);
      world_.pool.unref(slab);
      done += 1;
    }
    operations_.fetch_add(done, std::memory_order_relaxed);
  }

  void consume() {
    Random random(seed() + 100);
    const Clock clock;
    std::uint64_t round = 0;
    for (; round % 256 != 0 || round < stressOps() || !clock.isOver(stressTime()); ++round) {
      move(random);
      read(random, playhead_.load(std::memory_order_relaxed));
    }
    operations_.fetch_add(round, std::memory_order_relaxed);
  }

  void move(Random& random) {
    Unit at = playhead_.load(std::memory_order_relaxed);
    const std::uint64_t dice = random(100);
    if (dice < 90) at = at % kTurn < 100 ? at + 1 : at - 100;
    else if (dice < 96) at -= std::min<Unit>(at % kTurn, random(12));
    else at = random(4) * kTurn + random(100);
    if (random(16) == 0) ahead_ = 1 + random(28);
    playhead_.store(at, std::memory_order_relaxed);
    world_.ring.setRange({at - std::min<Unit>(at, ahead_ / 4), at + ahead_});
  }

  void read(Random& random, Unit unit) {
    auto slab = world_.ring.take(unit);
    if (!slab) slab = await(unit);
    CHECK(hasContent(world_.pool, *slab, unit));
    Pin& old = pins_[random(pins_.size())];
    if (old.unit != kNone) {
      CHECK(hasContent(world_.pool, old.slab, old.unit));
      world_.pool.unref(old.slab);
    }
    old = {unit, *slab};
  }

  /** A wake may be early (of a wait that ended unneeded), so the wait begins anew after each. */
  SlabIndex await(Unit unit) {
    world_.ring.markLoading(unit);
    asked_.store(unit + 1, std::memory_order_release);
    for (;;) {
      world_.ring.beginWaiting(unit);
      if (const auto slab = world_.ring.take(unit)) {
        world_.ring.endWaiting();
        return *slab;
      }
      sleepUntilWoken();
    }
  }

  void sleepUntilWoken() {
    const Clock clock;
    for (unsigned spins = 1; !isWoken_.exchange(false, std::memory_order_acquire); ++spins) {
      if (spins > 200) std::this_thread::yield();
      if (spins % 1024 == 0) CHECK(!clock.isOver(std::chrono::seconds(8)));  // a lost wake-up
    }
  }

  static constexpr Unit kNone = ~Unit{0};

  World world_;
  std::array<Pin, 16> pins_ = [] { std::array<Pin, 16> none; none.fill({kNone, 0}); return none; }();
  std::uint64_t ahead_ = 24;
  std::atomic<Unit> playhead_{0};
  std::atomic<std::uint64_t> asked_{0}, operations_{0};
  std::atomic<bool> isWoken_{false}, isOver_{false};
};

TEST("stress: several producers and a consumer that slides, seeks, resizes, pins and waits") { Crowd().run(3); }

}  // namespace
}  // namespace torrx::test
