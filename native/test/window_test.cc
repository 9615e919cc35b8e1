// A window alone with its torrent: what it keeps, asks of the disk and tells its reader. One thread.
#include <fcntl.h>
#include <sys/resource.h>

#include <array>

#include "../pin_table.hh"
#include "../torrent.hh"
#include "slab_content.hh"

namespace torrx::test {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

/** Torrent of 16 pieces of 256 KiB, one file that starts and ends inside of a slab; the disk is this thread. */
struct Rig : Waker, DiskReads {
  static constexpr ByteSpan kFile{100'000, 4 * kMiB - 1'000};
  SlabPool pool{kSlabsPerRegion};
  TorrentTable torrents;
  WindowTable windows;
  PinTable pins{pool};
  std::vector<Token> woken;
  std::vector<ReadJob> jobs;
  bool isDiskFull = false;
  Token torrentToken = torrents.open({1}, {256 * 1024, 4 * kMiB});
  std::shared_ptr<Torrent> torrent = torrents.get(torrentToken);

  Rig() { pool.setCapacity(kRegionBytes); }
  ~Rig() override = default;

  void wake(Token window) override { woken.push_back(window); }
  bool enqueue(ReadJob&& job) override {
    if (!isDiskFull) jobs.push_back(std::move(job));
    return !isDiskFull;
  }

  std::shared_ptr<Window> open(std::uint64_t behind, std::uint64_t ahead, ByteSpan file = kFile) {
    const auto window = windows.get(windows.open(torrent, file, {pool, *this, *this}));
    window->shape({behind, ahead, ahead});
    return window;
  }
  std::shared_ptr<const File> source() { return std::make_shared<File>(::open("/dev/null", O_RDONLY)); }

  void publish(std::uint64_t piece) {
    std::array<SlabIndex, 4> slabs{};
    CHECK(pool.allocate(slabs));
    for (Unit i = 0; i < 4; ++i) writeContent(pool, slabs[i], piece * 4 + i);
    torrent->publish(piece, slabs);
    pool.unref(slabs);
  }
  void runJobs() {
    for (const ReadJob& job : std::exchange(jobs, {})) {
      for (Unit unit = job.first; unit < job.first + job.count; ++unit) {
        SlabIndex slab = 0;
        CHECK(makeSlab(pool, unit, slab));
        job.window->fill(job, unit, slab);
        pool.unref(slab);
      }
      job.window->finishRead(job);
    }
  }
  void finish() {
    CHECK(jobs.empty());
    CHECK(pool.figures().windowBytes == 0 && pool.figures().usedBytes == 0);
  }
};

TEST("window: a verified piece wakes its reader and is served in one run of its slabs") {
  Rig rig;
  const auto window = rig.open(0, kMiB);
  CHECK(window->read(0, kMiB).status == ReadStatus::waiting);
  rig.publish(5);
  CHECK(rig.woken.empty());
  rig.publish(0);
  CHECK(rig.woken == std::vector<Token>{window->token()});
  rig.publish(1);
  CHECK(rig.woken.size() == 1);
  const ReadResult read = window->read(0, kMiB);
  CHECK(read.status == ReadStatus::chunk && read.chunk.offset == 100'000 % kSlabBytes);
  CHECK(hasContent(rig.pool, read.chunk.slab, 1));
  const WindowFigures figures = window->figures();
  CHECK(figures.hits == 0 && figures.misses == 1 && figures.behindBytes == 0);
  CHECK(figures.aheadBytes == 512 * 1024 - 100'000 && figures.bytes == 7 * kSlabBytes);
  const Token pin = rig.pins.add(read.chunk);
  CHECK(rig.windows.close(window->token()) && !rig.windows.close(window->token()));
  CHECK(rig.pool.figures().windowBytes == 0 && hasContent(rig.pool, read.chunk.slab, 1));
  CHECK(rig.pins.release(pin));
  rig.finish();
}

TEST("window: keeps what is behind, evicts the farthest and forgets all on a far seek") {
  Rig rig;
  const auto window = rig.open(128 * 1024, 512 * 1024);
  CHECK(window->read(0, 1).status == ReadStatus::waiting);
  for (const std::uint64_t piece : {0, 1, 2, 3, 4}) rig.publish(piece);
  CHECK(window->figures().bytes == 8 * kSlabBytes);
  const std::uint64_t at = 5 * kSlabBytes - 100'000;
  rig.pool.unref(window->read(at, 1).chunk.slab);
  CHECK(window->figures().bytes == 6 * kSlabBytes && window->figures().behindBytes == 2 * kSlabBytes);
  rig.pool.unref(window->read(at - kSlabBytes, 1).chunk.slab);
  CHECK(window->figures().hits == 2);
  window->shape({0, 128 * 1024, 0});
  CHECK(window->figures().bytes == 2 * kSlabBytes);
  CHECK(window->read(3 * kMiB, 1).status == ReadStatus::waiting);
  CHECK(window->figures().bytes == 0);
  rig.windows.close(window->token());
  rig.finish();
}

TEST("window: reads pieces from disk in whole jobs, and tells a failed read once") {
  Rig rig;
  const auto window = rig.open(0, 2 * kMiB);
  window->setSource(rig.source());
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.empty());
  rig.torrent->setHave(std::array<std::uint8_t, 2>{0xff, 0xff});
  CHECK(rig.woken.size() == 1);
  CHECK(window->read(0, 1).status == ReadStatus::waiting);
  CHECK(rig.jobs.size() == 2 && rig.jobs[0].count == Window::kJobUnits && rig.jobs[0].first == 1);
  const FileSpan first = window->spanInFile(1);
  CHECK(first.atInFile == 0 && first.atInSlab == 100'000 - kSlabBytes && first.length == 2 * kSlabBytes - 100'000);
  const ReadJob failing = rig.jobs[0];
  rig.jobs.erase(rig.jobs.begin());
  failing.window->readFailed(failing, 1, 5);
  failing.window->finishRead(failing);
  rig.runJobs();
  const ReadResult failed = window->read(0, 1);
  CHECK(failed.status == ReadStatus::unreadable && failed.errnoCode == 5);
  CHECK(window->read(0, 1).status == ReadStatus::waiting && !rig.jobs.empty());
  rig.runJobs();
  const ReadResult read = window->read(0, 4 * kMiB);
  CHECK(read.status == ReadStatus::chunk && hasContent(rig.pool, read.chunk.slab, 1));
  for (SlabIndex i = 0; i < read.chunk.slabs; ++i) rig.pool.unref(read.chunk.slab + i);
  rig.runJobs();
  rig.torrent->removeHave(0);
  CHECK(window->read(0, 1).status == ReadStatus::waiting);
  rig.runJobs();
  CHECK(window->read(0, 1).status == ReadStatus::waiting);
  rig.isDiskFull = true;
  rig.woken.clear();
  rig.torrent->addHave(0);
  CHECK(rig.woken.size() == 1);
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.woken.size() == 2);
  rig.windows.close(window->token());
  rig.finish();
}

TEST("window: a file that begins with the torrent waits for its first piece") {
  Rig rig;
  const auto window = rig.open(0, kMiB, {0, kMiB});
  window->setSource(rig.source());
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.empty());
  rig.windows.close(window->token());
  rig.finish();
}

TEST("window: two of one file share slabs and reads; one of another file does not take what the disk gave") {
  Rig rig;
  rig.torrent->setHave(std::array<std::uint8_t, 2>{0xff, 0xff});
  const auto one = rig.open(0, 256 * 1024), two = rig.open(0, 256 * 1024);
  const auto stranger = rig.open(0, 256 * 1024, {0, 100'000});
  for (const auto& window : {one, two, stranger}) window->setSource(rig.source());
  CHECK(one->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  CHECK(two->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  rig.runJobs();
  CHECK(rig.woken.size() == 2);
  CHECK(stranger->read(70'000, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  CHECK(rig.pool.figures().windowBytes == 4 * kSlabBytes && two->figures().bytes == 4 * kSlabBytes);
  const auto late = rig.open(0, 128 * 1024);
  const ReadResult read = late->read(0, 1);
  CHECK(read.status == ReadStatus::chunk && late->figures().hits == 1);
  rig.pool.unref(read.chunk.slab);
  CHECK(rig.pool.figures().windowBytes == 4 * kSlabBytes);
  for (const auto& window : {one, two, stranger, late}) rig.windows.close(window->token());
  rig.runJobs();
  rig.finish();
}

TEST("window: what was read before its piece was lost is not shown after it was had again") {
  Rig rig;
  const auto window = rig.open(0, 256 * 1024);
  window->setSource(rig.source());
  rig.torrent->setHave(std::array<std::uint8_t, 2>{0xff, 0xff});
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  rig.torrent->removeHave(0);
  rig.torrent->addHave(0);
  rig.runJobs();
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  rig.torrent->setHave({});
  rig.torrent->setHave(std::array<std::uint8_t, 2>{0xff, 0xff});
  rig.runJobs();
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  rig.runJobs();
  const ReadResult read = window->read(0, 1);
  CHECK(read.status == ReadStatus::chunk);
  rig.pool.unref(read.chunk.slab);
  rig.windows.close(window->token());
  rig.finish();
}

TEST("window: a read that failed before its piece was lost is no fault of the piece that was had again") {
  Rig rig;
  const auto window = rig.open(0, 256 * 1024);
  window->setSource(rig.source());
  rig.torrent->setHave(std::array<std::uint8_t, 2>{0xff, 0xff});
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  const ReadJob early = rig.jobs[0];
  rig.jobs.clear();
  early.window->readFailed(early, 1, 5);
  early.window->finishRead(early);
  rig.torrent->removeHave(0);
  rig.torrent->addHave(0);
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  const ReadJob late = rig.jobs[0];
  rig.jobs.clear();
  rig.torrent->removeHave(0);
  rig.torrent->addHave(0);
  late.window->readFailed(late, 1, 5);
  late.window->finishRead(late);
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1);
  rig.windows.close(window->token());
  rig.runJobs();
  rig.finish();
}

TEST("window: a read ahead that failed is tried again before the reader who arrives there is told") {
  Rig rig;
  const auto window = rig.open(0, 2 * kMiB);
  window->setSource(rig.source());
  rig.torrent->setHave(std::array<std::uint8_t, 2>{0xff, 0xff});
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 2);
  const ReadJob ahead = rig.jobs[1];
  for (const ReadJob& job : std::exchange(rig.jobs, {})) {
    if (job.first == ahead.first) job.window->readFailed(job, job.first, 5);
    job.window->finishRead(job);
  }
  const std::uint64_t at = window->spanInFile(ahead.first).atInFile;
  CHECK(window->read(at, 1).status == ReadStatus::waiting && rig.jobs[0].first == ahead.first);
  for (const ReadJob& job : std::exchange(rig.jobs, {})) {
    job.window->readFailed(job, job.first, 5);
    job.window->finishRead(job);
  }
  CHECK(window->read(at, 1).status == ReadStatus::unreadable);
  rig.windows.close(window->token());
  rig.runJobs();
  rig.finish();
}

TEST("window: without room for memory the disk is asked for nothing but what is waited for") {
  Rig rig;
  rig.pool.setCapacity(4 * kSlabBytes);
  const auto window = rig.open(0, 2 * kMiB);
  window->setSource(rig.source());
  rig.torrent->setHave(std::array<std::uint8_t, 2>{0x7f, 0xff});
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.empty());
  rig.torrent->addHave(0);
  CHECK(window->read(0, 1).status == ReadStatus::waiting && rig.jobs.size() == 1 && rig.jobs[0].count == 1);
  rig.runJobs();
  rig.windows.close(window->token());
  rig.finish();
}

TEST("pins: more than there are tokens for are refused") {
  Rig rig;
  SlabIndex slab = 0;
  CHECK(makeSlab(rig.pool, 0, slab));
  std::vector<Token> held;
  for (std::size_t i = 0; i < PinTable::kMaxPins; ++i) {
    rig.pool.ref(slab);
    held.push_back(rig.pins.add({slab, 1, 0, 1}));
    CHECK(held.back() != 0);
  }
  CHECK(rig.pins.add({slab, 1, 0, 1}) == 0);
  for (const Token pin : held) CHECK(rig.pins.release(pin));
  rig.pool.unref(slab);
  rig.finish();
}

TEST("window: a torrent's fault is told where the bytes are not on disk, its end everywhere") {
  Rig rig;
  const auto window = rig.open(0, kMiB);
  CHECK(rig.torrents.find({1}) == rig.torrentToken && rig.torrents.open({1}, {1, 1}) == 0);
  CHECK(window->read(0, 1).status == ReadStatus::waiting);
  rig.torrent->setState(TorrentState::diskFull);
  CHECK(rig.woken.size() == 1 && window->read(0, 1).status == ReadStatus::diskFull);
  rig.torrent->setState(TorrentState::fine);
  rig.publish(0);
  CHECK(rig.torrents.close(rig.torrentToken) && !rig.torrents.close(rig.torrentToken));
  CHECK(rig.torrents.find({1}) == 0);
  rig.torrent->setState(TorrentState::fine);
  CHECK(window->read(0, 1).status == ReadStatus::gone);
  CHECK(window->read(4 * kMiB, 1).status == ReadStatus::unreadable);
  CHECK(rig.windows.open(rig.torrent, {0, 5 * kMiB}, {rig.pool, rig, rig}) == 0);
  rig.windows.close(window->token());
  CHECK(window->read(0, 1).status == ReadStatus::unreadable);
  rig.finish();
}

}  // namespace
}  // namespace torrx::test
