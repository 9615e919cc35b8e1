// Windows of one torrent under fire: readers that slide, seek, resize, close and sleep until they are woken; an engine
// that publishes, adds, removes and changes state; disk threads that fill, fail, skip and refuse.
#include <fcntl.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <map>

#include "../pin_table.hh"
#include "../torrent.hh"
#include "slab_content.hh"

namespace torrx::test {
namespace {

constexpr std::uint64_t kPiece = 4 * kSlabBytes;
constexpr std::uint64_t kPieces = 64;
constexpr unsigned kReaders = 3;

class Disk : public DiskReads {
 public:
  explicit Disk(SlabPool& pool) : pool_(pool) {
    for (unsigned i = 0; i < 2; ++i) threads_.emplace_back([this, i] { run(seed() + 50 + i); });
  }
  /** Readers are gone: what is queued is run, then the threads end. */
  void stop() {
    isOver_.store(true);
    for (auto& thread : threads_) thread.join();
  }
  bool enqueue(ReadJob&& job) override {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= 4) return false;
    jobs_.push_back(std::move(job));
    return true;
  }

 private:
  void run(std::uint64_t start) {
    Random random(start);
    for (;;) {
      const bool isLast = isOver_.load();
      if (const auto job = next()) perform(*job, random);
      else if (isLast) return;
      else std::this_thread::yield();
    }
  }
  std::optional<ReadJob> next() {
    const std::lock_guard lock(mutex_);
    if (jobs_.empty()) return std::nullopt;
    ReadJob job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }
  void perform(const ReadJob& job, Random& random) {
    for (Unit unit = job.first; unit < job.first + job.count && job.window->wants(job); ++unit) {
      const std::uint64_t dice = random(100);
      if (dice < 3) job.window->readFailed(job, unit, 5);
      else if (dice >= 6) fill(job, unit);
    }
    job.window->finishRead(job);
  }
  void fill(const ReadJob& job, Unit unit) {
    SlabIndex slab = 0;
    if (!pool_.allocate({&slab, 1}, job.window->isWaitingFor(unit) ? Limit::ignore : Limit::respect)) return;
    writeContent(pool_, slab, unit);
    job.window->fill(job, unit, slab);
    pool_.unref(slab);
  }

  SlabPool& pool_;
  std::mutex mutex_;
  std::deque<ReadJob> jobs_;
  std::atomic<bool> isOver_{false};
  std::vector<std::thread> threads_;
};

class Bells : public Waker {
 public:
  void wake(Token window) override {
    const std::lock_guard lock(mutex_);
    ++rung_[window];
    changed_.notify_all();
  }
  /** Until the window's bell has rung since the last call. */
  void await(Token window) {
    std::unique_lock lock(mutex_);
    const bool isWoken = changed_.wait_for(lock, std::chrono::seconds(8), [&] { return rung_[window] > 0; });
    CHECK(isWoken);  // a lost wake-up
    rung_[window] = 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Token, int> rung_;
};

class Theatre {
 public:
  Theatre() {
    pool_.setCapacity(200 * kSlabBytes);
    torrent_ = torrents_.get(torrents_.open({}, {kPiece, kPieces * kPiece}));
  }
  ~Theatre() {
    CHECK(windows_.size() == 0);
    CHECK(pool_.figures().usedBytes == 0);
    CHECK(pool_.figures().windowBytes == 0);
  }

  void run() {
    std::vector<std::thread> readers;
    for (unsigned i = 0; i < kReaders; ++i) readers.emplace_back([this, i] { read(i); });
    std::thread engine([this] { produce(); });
    for (auto& reader : readers) reader.join();
    isOver_.store(true);
    engine.join();
    disk_.stop();
  }

 private:
  void read(unsigned index) {
    Random random(seed() + index);
    const ByteSpan file = index < 2 ? ByteSpan{1'000, 40 * kPiece + 77} : ByteSpan{30 * kPiece + 5, kPieces * kPiece};
    const Clock clock;
    while (!clock.isOver(stressTime())) {
      const Token token = windows_.open(torrent_, file, {pool_, bells_, disk_});
      const auto window = windows_.get(token);
      window->setSource(std::make_shared<File>(open("/dev/null", O_RDONLY)));
      PinTable pins(pool_);
      std::vector<Token> held;
      std::uint64_t at = random(file.end - file.start);
      for (unsigned round = 0; round < 400; ++round) {
        step(*window, asked_[index], at, random, pins, held);
        const std::uint64_t dice = random(40);
        if (dice == 0) at = random(file.end - file.start);
        else if (dice < 4) at -= std::min<std::uint64_t>(at, random(6) * kSlabBytes);
        if (at >= file.end - file.start) at = 0;
      }
      CHECK(windows_.close(token));
    }
  }

  void step(Window& window, std::atomic<std::uint64_t>& asked, std::uint64_t& at, Random& random, PinTable& pins,
            std::vector<Token>& held) {
    if (random(30) == 0) window.shape({random(8) * kSlabBytes, random(24) * kSlabBytes, random(24) * kSlabBytes});
    const Unit unit = torrent_->geometry().unitAt(window.file().start + at);
    asked.store(torrent_->geometry().pieceOf(unit) + 1);
    ReadResult result = window.read(at, 1 + random(5 * kSlabBytes));
    while (result.status != ReadStatus::chunk) {
      if (result.status == ReadStatus::waiting) bells_.await(window.token());
      else CHECK(result.status == ReadStatus::unreadable || result.status == ReadStatus::diskError);
      result = window.read(at, 1 + random(5 * kSlabBytes));
    }
    for (SlabIndex i = 0; i < result.chunk.slabs; ++i) CHECK(hasContent(pool_, result.chunk.slab + i, unit + i));
    at += result.chunk.length;
    held.push_back(pins.add(result.chunk));
    if (held.size() > 4) {
      CHECK(pins.release(held.front()));
      held.erase(held.begin());
    }
    CHECK(window.figures().bytes <= Ring::kSlots * kSlabBytes);
  }

  /** What a reader asks for is made available exactly once; what is taken away is published and added again at once. */
  void produce() {
    Random random(seed() + 20);
    while (!isOver_.load()) {
      for (auto& asked : asked_) {
        const std::uint64_t piece = asked.exchange(0);
        if (piece == 0 || torrent_->has(piece - 1)) continue;
        if (random(2) == 0) publish(piece - 1);
        torrent_->addHave(piece - 1);
      }
      const std::uint64_t dice = random(64);
      if (dice < 8) publish(random(kPieces));
      if (dice == 8) lose(random(kPieces));
      if (dice == 9) {
        torrent_->setState(TorrentState::diskError);
        torrent_->setState(TorrentState::fine);
      }
      std::this_thread::yield();
    }
  }

  void lose(std::uint64_t piece) {
    if (!torrent_->has(piece)) return;
    torrent_->removeHave(piece);
    publish(piece);
    torrent_->addHave(piece);
  }

  void publish(std::uint64_t piece) {
    std::array<SlabIndex, 4> slabs{};
    if (!pool_.allocate(slabs)) return;
    for (Unit i = 0; i < slabs.size(); ++i) writeContent(pool_, slabs[i], piece * slabs.size() + i);
    torrent_->publish(piece, slabs);
    pool_.unref(slabs);
  }

  SlabPool pool_{4 * kSlabsPerRegion};
  Bells bells_;
  Disk disk_{pool_};
  TorrentTable torrents_;
  WindowTable windows_;
  std::shared_ptr<Torrent> torrent_;
  std::array<std::atomic<std::uint64_t>, kReaders> asked_{};
  std::atomic<bool> isOver_{false};
};

TEST("stress: readers of shared windows are always woken and see only their bytes") { Theatre().run(); }

/** One reader begins to wait while the one thing happens that it waits for. The other stress test would not see a lost
 *  wake-up of one kind, because something else of many would wake the reader a little later. */
struct Moment : Waker, DiskReads {
  SlabPool pool{kSlabsPerRegion};
  std::shared_ptr<Torrent> torrent = std::make_shared<Torrent>(InfoHash{}, Geometry{kSlabBytes, 64 * kSlabBytes});
  WindowTable windows;
  std::vector<ReadJob> jobs;
  std::atomic<bool> isWoken{false};
  SlabIndex slab = 0;
  Token token = 0;
  std::shared_ptr<Window> window;

  Moment() {
    pool.setCapacity(kSlabBytes);
    CHECK(makeSlab(pool, 0, slab));
    token = windows.open(torrent, {0, 64 * kSlabBytes}, {pool, *this, *this});
    window = windows.get(token);
    window->setSource(std::make_shared<File>(open("/dev/null", O_RDONLY)));
    window->shape({40 * kSlabBytes, kSlabBytes, kSlabBytes});
  }
  void wake(Token) override { isWoken.store(true); }
  bool enqueue(ReadJob&& job) override {
    jobs.push_back(std::move(job));
    return true;
  }
  /** The reader is served elsewhere, so that it does not wait; unit 0 stays in range behind it, but empty. */
  void reset() {
    for (const ReadJob& job : std::exchange(jobs, {})) window->finishRead(job);
    torrent->setState(TorrentState::fine);
    torrent->removeHave(0);
    window->read(32 * kSlabBytes, 1);
    torrent->publish(32, {&slab, 1});
    const ReadResult elsewhere = window->read(32 * kSlabBytes, 1);
    CHECK(elsewhere.status == ReadStatus::chunk);
    pool.unref(elsewhere.chunk.slab);
    isWoken.store(false);
  }
  void run(void (*happen)(Moment&)) {
    Random slow(seed()), slower(seed() + 1);
    ReadStatus status = ReadStatus::waiting;
    reset();
    race(
        [&] {
          pause(slow);
          const ReadResult result = window->read(0, 1);
          status = result.status;
          if (status == ReadStatus::chunk) pool.unref(result.chunk.slab);
        },
        [&] {
          pause(slower);
          happen(*this);
        },
        [&] {
          CHECK(status != ReadStatus::waiting || isWoken.load() || !jobs.empty());
          reset();
        });
    CHECK(windows.close(token));
    pool.unref(slab);
    CHECK(pool.figures().usedBytes == 0);
  }
};

/** Two readers of one place: the job of one ends without bytes while both look again. If each believed the other's mark,
 *  nobody would ask the disk any more. */
TEST("stress: two readers who rely on one read that came to nothing ask again") {
  Moment moment;
  moment.torrent->addHave(0);
  const auto& one = moment.window;
  const Token token = moment.windows.open(moment.torrent, one->file(), {moment.pool, moment, moment});
  const auto two = moment.windows.get(token);
  two->setSource(std::make_shared<File>(open("/dev/null", O_RDONLY)));
  Random slow(seed()), slower(seed() + 1);
  std::vector<ReadJob> ending;
  const auto readBoth = [&] {
    CHECK(one->read(0, 1).status == ReadStatus::waiting && two->read(0, 1).status == ReadStatus::waiting);
  };
  const auto begin = [&] {
    readBoth();
    ending = std::exchange(moment.jobs, {});
    CHECK(!ending.empty());
  };
  begin();
  race(
      [&] {
        pause(slow);
        readBoth();
      },
      [&] {
        pause(slower);
        for (const ReadJob& job : ending) job.window->finishRead(job);
      },
      [&] {
        for (const ReadJob& job : std::exchange(moment.jobs, {})) job.window->finishRead(job);
        begin();
      });
  for (const ReadJob& job : ending) job.window->finishRead(job);
  ending.clear();
  CHECK(moment.windows.close(token) && moment.windows.close(moment.token));
  moment.pool.unref(moment.slab);
}

TEST("stress: a reader that begins to wait is told of a piece verified at that moment") {
  Moment().run([](Moment& moment) { moment.torrent->publish(0, {&moment.slab, 1}); });
}

TEST("stress: a reader that begins to wait is told of a piece on disk at that moment") {
  Moment().run([](Moment& moment) { moment.torrent->addHave(0); });
}

TEST("stress: a reader that begins to wait is told of a fault at that moment") {
  Moment().run([](Moment& moment) { moment.torrent->setState(TorrentState::diskError); });
}

}  // namespace
}  // namespace torrx::test
