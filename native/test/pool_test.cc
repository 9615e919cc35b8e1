// The pool of slabs, and the tables of tokens and pins. One thread at a time.
#include <fcntl.h>
#include <sys/resource.h>

#include <array>

#include "../pin_table.hh"
#include "../torrent.hh"
#include "slab_content.hh"

namespace torrx::test {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

TEST("pool: allocates runs, lowest first, all or nothing, up to the capacity") {
  SlabPool pool(kSlabsPerRegion);
  std::array<SlabIndex, 4> run{};
  CHECK(!pool.allocate(run));
  pool.setCapacity(8 * kSlabBytes);
  CHECK(pool.allocate(run));
  CHECK(run == (std::array<SlabIndex, 4>{0, 1, 2, 3}));
  pool.unref(1);
  std::array<SlabIndex, 2> pair{};
  CHECK(pool.allocate(pair));
  CHECK(pair == (std::array<SlabIndex, 2>{4, 5}));
  std::array<SlabIndex, 4> more{};
  CHECK(!pool.allocate(more));
  CHECK(pool.figures().usedBytes == 5 * kSlabBytes);
  SlabIndex one = 99;
  CHECK(pool.allocate({&one, 1}));
  CHECK(one == 1);
  pool.setCapacity(0);
  CHECK(!pool.allocate({&one, 1}));
  CHECK(pool.allocate(more, Limit::ignore));
  for (const SlabIndex slab : {0u, 2u, 3u, 1u, 4u, 5u}) pool.unref(slab);
  pool.unref(more);
  CHECK(pool.figures().usedBytes == 0);
}

TEST("pool: scatters when no run is left") {
  SlabPool pool(kSlabsPerRegion);
  pool.setCapacity(kRegionBytes);
  std::vector<SlabIndex> all(pool.regions() * kSlabsPerRegion);
  CHECK(pool.allocate(all));
  for (SlabIndex slab = 0; slab < 8; slab += 2) pool.unref(slab);
  std::array<SlabIndex, 4> four{};
  CHECK(pool.allocate(four));
  CHECK(four == (std::array<SlabIndex, 4>{0, 2, 4, 6}));
  pool.unref(all);
}

TEST("pool: gives no reference of a free slab and counts what windows hold once") {
  SlabPool pool(kSlabsPerRegion);
  pool.setCapacity(kMiB);
  SlabIndex slab = 0;
  CHECK(!pool.tryRef(0));
  CHECK(pool.allocate({&slab, 1}));
  pool.ref(slab, Holder::window);
  CHECK(pool.tryRef(slab, Holder::window));
  CHECK(pool.refs(slab) == 3);
  CHECK(pool.figures().windowBytes == kSlabBytes);
  pool.unref(slab);
  pool.unref(slab, Holder::window);
  CHECK(pool.figures().windowBytes == kSlabBytes);
  pool.unref(slab, Holder::window);
  CHECK(pool.figures().windowBytes == 0);
  CHECK(!pool.tryRef(slab));
}

TEST("pool: gives free memory above 16 MiB back and keeps what is in use") {
  SlabPool pool(kSlabsPerRegion);
  pool.setCapacity(kRegionBytes);
  std::vector<SlabIndex> all(600);
  CHECK(pool.allocate(all));
  for (const SlabIndex slab : all) writeContent(pool, slab, slab);
  CHECK(pool.figures().residentBytes == 600 * kSlabBytes);
  for (SlabIndex slab = 0; slab < 599; ++slab) pool.unref(slab);
  CHECK(pool.trim(1'000) == 599 - SlabPool::kKeptFreeSlabs);
  CHECK(pool.trim(1'000) == 0);
  CHECK(pool.figures().residentBytes == (1 + SlabPool::kKeptFreeSlabs) * kSlabBytes);
  CHECK(hasContent(pool, 599, 599));
  CHECK(*probeAt(pool, 598, 0) == 0);
  CHECK(*probeAt(pool, 0, 0) == contentOf(0, 0));
  std::vector<SlabIndex> again(599);
  CHECK(pool.allocate(again));
  pool.startTrimmer();
  pool.unref(again);
  const Clock clock;
  while (pool.figures().residentBytes > (1 + SlabPool::kKeptFreeSlabs) * kSlabBytes) {
    CHECK(!clock.isOver(std::chrono::seconds(10)));
    std::this_thread::yield();
  }
  pool.stopTrimmer();
  pool.unref(599);
}

TEST("tokens: stale and invented ones find nothing") {
  TokenTable<int> table(2);
  const auto make = [](Token) { return std::make_shared<int>(1); };
  const Token first = table.insert(make);
  const Token second = table.insert(make);
  CHECK(first != 0 && second != 0 && first != second);
  CHECK(table.insert(make) == 0);
  CHECK(table.remove(first));
  CHECK(!table.remove(first));
  CHECK(!table.get(first));
  const Token third = table.insert(make);
  CHECK(third != first && table.get(third) && !table.get(first));
  CHECK(!table.get(0) && !table.get(~Token{0}) && !table.get(second + (Token{1} << 16)));
  CHECK(table.size() == 2);
}

TEST("pins: hold their slabs until given back once") {
  SlabPool pool(kSlabsPerRegion);
  pool.setCapacity(kMiB);
  std::array<SlabIndex, 2> slabs{};
  CHECK(pool.allocate(slabs));
  {
    PinTable pins(pool);
    const Token pin = pins.add({slabs[0], 2, 0, 100});
    CHECK(pins.pinnedBytes() == 2 * kSlabBytes);
    CHECK(!pins.release(pin + 1) && !pins.release(0) && pins.release(pin) && !pins.release(pin));
    CHECK(pool.figures().usedBytes == 0 && pins.pinnedBytes() == 0);
    CHECK(pool.allocate(slabs));
    CHECK(pins.add({slabs[0], 2, 0, 100}) != pin);
  }
  CHECK(pool.figures().usedBytes == 0);
}

TEST("pool: the trimmer sleeps through the releases that follow the first") {
  SlabPool pool(4 * kSlabsPerRegion);
  pool.setCapacity(4 * kRegionBytes);
  std::vector<SlabIndex> slabs(2'000);
  CHECK(pool.allocate(slabs));
  pool.startTrimmer();
  const auto sleeps = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
  };
  const long before = sleeps();
  for (const SlabIndex slab : slabs) {
    pool.unref(slab);
    for (int i = 0; i < 20'000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);  // time for it to wake
  }
  CHECK(sleeps() - before < 100);
  pool.stopTrimmer();
}

TEST("geometry: units never cross a piece and the last is short") {
  const Geometry geometry{100'000, 250'000};
  CHECK(geometry.pieces() == 3 && geometry.slabsPerPiece() == 2);
  CHECK(geometry.unitAt(65'536) == 1 && geometry.unitAt(99'999) == 1 && geometry.unitAt(100'000) == 2);
  CHECK(geometry.spanOf(1).start == 65'536 && geometry.spanOf(1).end == 100'000);
  CHECK(geometry.spanOf(4).start == 200'000 && geometry.spanOf(4).end == 250'000);
}

}  // namespace
}  // namespace torrx::test
