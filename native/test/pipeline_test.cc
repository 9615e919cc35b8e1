// Pieces, channels and the pipeline with real files and no JavaScript.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "../process.hh"
#include "check.hh"

namespace torrx::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes someBytes(std::size_t length) {
  Random random(seed());
  Bytes bytes(length);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random(256));
  return bytes;
}

Digest digestOf(const Bytes& bytes) {
  Sha1 sha1;
  sha1.update(bytes);
  return sha1.finish();
}

/** Nameless, gone with its last descriptor. */
std::shared_ptr<File> temporaryFile() {
  const int fd = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
  CHECK(fd >= 0);
  return std::make_shared<File>(fd);
}

Bytes contentOf(const File& file, std::size_t length) {
  Bytes bytes(length);
  CHECK(::pread(file.fd(), bytes.data(), length, 0) == static_cast<ssize_t>(length));
  return bytes;
}

class Rig {
 public:
  explicit Rig(std::uint64_t pieceLength, std::uint64_t pieces = 1) {
    pool.setCapacity(64 * 1024 * 1024);
    torrent = std::make_shared<Torrent>(InfoHash{}, Geometry{pieceLength, pieces * pieceLength});
  }

  std::shared_ptr<Piece> take(std::uint64_t index = 0) {
    return table.get(table.take({torrent, index, torrent->geometry().pieceLength, channel}));
  }

  void settle(const std::shared_ptr<Piece>& piece, const Digest& expected, std::vector<WriteRun> runs) {
    CHECK(channel->reserve(ResultKind::settled));
    piece->seal({.expected = expected, .runs = std::move(runs), .job = ++lastJob});
    if (piece->wantTurn()) pipeline.verify(piece);
  }

  void check(const Digest& expected, std::vector<CheckRun> runs) {
    CHECK(channel->reserve(ResultKind::checked));
    pipeline.check(std::make_unique<CheckJob>(CheckJob{expected, std::move(runs), channel, ++lastJob}));
  }

  Result next() {
    while (results.empty()) {
      told.acquire();
      results = channel->drain();
      std::reverse(results.begin(), results.end());
    }
    const Result result = results.back();
    results.pop_back();
    return result;
  }

  bool isNext(SettleStatus status, int errnoCode = 0) {
    const Result result = next();
    return result.kind == ResultKind::settled && result.status == std::uint8_t(status) && result.errnoCode == errnoCode;
  }

  bool isNext(CheckStatus status, int errnoCode = 0) {
    const Result result = next();
    return result.kind == ResultKind::checked && result.status == std::uint8_t(status) && result.errnoCode == errnoCode;
  }

  SlabPool pool{kSlabsPerRegion};
  DiskFigures figures;
  std::shared_ptr<Torrent> torrent;
  Semaphore told;
  std::shared_ptr<Channel> channel = std::make_shared<Channel>([this] { told.release(); });
  PieceTable table{pool};
  std::vector<Result> results;
  std::uint64_t lastJob = 0;
  Pipeline pipeline{pool, figures};
};

TEST("piece: takes bytes anywhere inside of it, and none outside, sealed or advanced over") {
  Rig rig(200'000);
  const auto piece = rig.take();
  const Bytes bytes = someBytes(200'000);
  CHECK(piece->write(65'000, std::span(bytes).subspan(65'000, 100'000)));  // over two slab boundaries
  CHECK(piece->write(0, std::span(bytes).first(65'000)));
  CHECK(piece->write(165'000, std::span(bytes).subspan(165'000)));
  CHECK(!piece->write(199'999, std::span(bytes).first(2)));
  CHECK(!piece->write(~std::uint64_t{0}, std::span(bytes).first(2)));
  CHECK(!piece->advance(200'001));
  CHECK(piece->advance(10));
  const Bytes zeros(20);
  CHECK(piece->write(9, zeros));
  Bytes copy(200'000);
  CHECK(piece->copy(0, copy));
  CHECK(copy == bytes);
  CHECK(!piece->copy(1, copy));
  piece->seal({});
  CHECK(piece->write(100, zeros));
  CHECK(piece->copy(0, copy));
  CHECK(copy == bytes);
}

TEST("piece: asks for one turn at a time, and for another one when something came during it") {
  Rig rig(kSlabBytes);
  const auto piece = rig.take();
  CHECK(piece->wantTurn());
  CHECK(!piece->wantTurn());
  piece->beginTurn();
  CHECK(!piece->goesOn());
  CHECK(piece->wantTurn());
  piece->beginTurn();
  CHECK(!piece->wantTurn());
  CHECK(piece->goesOn());
  CHECK(!piece->goesOn());
}

TEST("pieces: the memory is there again when the last user lets go") {
  Rig rig(3 * kSlabBytes);
  rig.pool.setCapacity(3 * kSlabBytes);
  const Token token = rig.table.take({rig.torrent, 0, 3 * kSlabBytes, rig.channel});
  auto user = rig.table.get(token);
  CHECK(rig.table.take({rig.torrent, 0, 3 * kSlabBytes, rig.channel}) == 0);
  rig.table.release(token);
  CHECK(!rig.table.get(token));
  CHECK(rig.table.size() == 1 && rig.table.bytes() == 3 * kSlabBytes);
  user = nullptr;
  CHECK(rig.table.size() == 0 && rig.table.bytes() == 0 && rig.pool.figures().usedBytes == 0);
  CHECK(rig.table.take({rig.torrent, 0, 3 * kSlabBytes, rig.channel}) != 0);
}

TEST("pipeline: a piece that passes is written to all its places") {
  Rig rig(300'000);
  const auto piece = rig.take();
  const Bytes bytes = someBytes(300'000);
  const auto first = temporaryFile();
  const auto second = temporaryFile();
  CHECK(piece->write(0, bytes));
  rig.settle(piece, digestOf(bytes), {{first, 0, 0, 100'001}, {second, 5, 100'001, 199'999}});
  CHECK(rig.isNext(SettleStatus::written));
  CHECK(std::ranges::equal(contentOf(*first, 100'001), std::span(bytes).first(100'001)));
  const Bytes rest = contentOf(*second, 200'004);
  CHECK(std::ranges::equal(std::span(rest).subspan(5), std::span(bytes).subspan(100'001)));
}

TEST("pipeline: one wrong byte, and nothing is written") {
  Rig rig(100'000);
  const auto piece = rig.take();
  Bytes bytes = someBytes(100'000);
  const Digest expected = digestOf(bytes);
  bytes[99'999] ^= 1;
  const auto file = temporaryFile();
  CHECK(piece->write(0, bytes));
  rig.settle(piece, expected, {{file, 0, 0, 100'000}});
  CHECK(rig.isNext(SettleStatus::corrupt));
  CHECK(::lseek(file->fd(), 0, SEEK_END) == 0);
}

TEST("pipeline: what arrives in any order and is advanced in between hashes the same") {
  constexpr std::uint64_t kBlock = 16 * 1024, kBlocks = 64, kPieces = 24;
  Rig rig(kBlocks * kBlock, kPieces);
  const Bytes bytes = someBytes(kBlocks * kBlock);
  const Digest expected = digestOf(bytes);
  Random random(seed());
  for (std::uint64_t index = 0; index < kPieces; index++) {
    const auto piece = rig.take(index);
    std::vector<bool> has(kBlocks + 1, false);
    for (std::uint64_t left = kBlocks, prefix = 0; left > 0; left--) {
      std::uint64_t block = random(2) == 0 ? prefix : random(kBlocks);
      while (has[block]) block = (block + 1) % kBlocks;
      CHECK(piece->write(block * kBlock, std::span(bytes).subspan(block * kBlock, kBlock)));
      has[block] = true;
      while (has[prefix]) prefix++;
      CHECK(piece->advance(prefix * kBlock));
      if (piece->wantTurn()) rig.pipeline.verify(piece);
    }
    rig.settle(piece, expected, {});
  }
  for (std::uint64_t i = 0; i < kPieces; i++) CHECK(rig.isNext(SettleStatus::written));
}

TEST("pipeline: pieces that are hashed side by side are told apart") {
  constexpr std::uint64_t length = 300'000;
  Rig rig(length, 32);
  const Bytes bytes = someBytes(length);
  std::vector<std::shared_ptr<Piece>> pieces;
  for (std::uint64_t i = 0; i < 32; i++) {
    pieces.push_back(rig.take(i));
    CHECK(pieces.back()->write(0, bytes));
    // Different places from which they go on together.
    if (i % 3 == 0) CHECK(pieces.back()->advance(1 + i * 1000));
    if (i % 3 == 0 && pieces.back()->wantTurn()) rig.pipeline.verify(pieces.back());
  }
  Digest wrong = digestOf(bytes);
  wrong[0] ^= 1;
  for (std::uint64_t i = 0; i < 32; i++) rig.settle(pieces[i], i % 4 == 1 ? wrong : digestOf(bytes), {});
  std::size_t corrupt = 0;
  for (int i = 0; i < 32; i++) {
    const Result result = rig.next();
    const bool isWrong = (result.id - 1) % 4 == 1;
    CHECK(result.status == std::uint8_t(isWrong ? SettleStatus::corrupt : SettleStatus::written));
    corrupt += isWrong;
  }
  CHECK(corrupt == 8);
}

TEST("pipeline: a write that ends short goes on, and its error is told") {
  Rig rig(300'000);
  const auto piece = rig.take();
  const Bytes bytes = someBytes(300'000);
  CHECK(piece->write(0, bytes));
  rlimit before{};
  CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, SIG_IGN);
  // The system writes up to the limit, which is a short write, and refuses the rest.
  const rlimit limit{200'000, before.rlim_max};
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto file = temporaryFile();
  rig.settle(piece, digestOf(bytes), {{file, 0, 0, 300'000}});
  CHECK(rig.isNext(SettleStatus::failed, EFBIG));
  CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(std::ranges::equal(contentOf(*file, 200'000), std::span(bytes).first(200'000)));
}

TEST("pipeline: a full disk and a file that is not open are told") {
  Rig rig(1'000, 2);
  const Bytes bytes = someBytes(1'000);
  const auto full = std::make_shared<File>(::open("/dev/full", O_WRONLY));
  const auto first = rig.take(0);
  CHECK(first->write(0, bytes));
  rig.settle(first, digestOf(bytes), {{full, 0, 0, 1'000}});
  CHECK(rig.isNext(SettleStatus::failed, ENOSPC));
  const auto second = rig.take(1);
  CHECK(second->write(0, bytes));
  rig.settle(second, digestOf(bytes), {{nullptr, 0, 0, 1'000}});
  CHECK(rig.isNext(SettleStatus::failed, EBADF));
}

TEST("pipeline: checks what is on disk, zeros and short files included") {
  Rig rig(kSlabBytes);
  Bytes bytes = someBytes(600'000);
  std::fill(bytes.begin() + 500'000, bytes.end(), std::uint8_t{0});
  const auto file = temporaryFile();
  CHECK(::pwrite(file->fd(), bytes.data(), 500'000, 0) == 500'000);
  rig.check(digestOf(bytes), {{file, 0, 300'000}, {file, 300'000, 200'000}, {nullptr, 0, 100'000}});
  CHECK(rig.isNext(CheckStatus::passed));
  rig.check(digestOf(bytes), {{file, 1, 300'000}, {file, 300'000, 200'000}, {nullptr, 0, 100'000}});
  CHECK(rig.isNext(CheckStatus::different));
  rig.check(digestOf(bytes), {{file, 0, 600'000}});
  CHECK(rig.isNext(CheckStatus::isShort));
  rig.check(digestOf(bytes), {{std::make_shared<File>(::open("/dev/full", O_WRONLY)), 0, 600'000}});
  CHECK(rig.isNext(CheckStatus::failed, EBADF));
}

TEST("channel: one notification for many results, none after it was closed") {
  int notified = 0;
  Channel channel([&] { notified++; });
  for (std::uint64_t id = 1; id <= 3; id++) {
    CHECK(channel.reserve(ResultKind::settled));
    channel.deliver({.kind = ResultKind::settled, .id = id});
  }
  channel.wake(7);
  CHECK(notified == 1);
  CHECK(channel.drain().size() == 4);
  channel.wake(7);
  CHECK(notified == 2);
  channel.close();
  channel.drain();
  channel.wake(7);
  CHECK(notified == 2);
}

TEST("channel: refuses what it could not tell the result of, and tells more wake-ups than it holds as one for all") {
  Channel channel([] {});
  for (std::uint32_t i = 0; i < Channel::kMaxChecks; i++) CHECK(channel.reserve(ResultKind::checked));
  CHECK(!channel.reserve(ResultKind::checked));
  for (std::uint32_t i = Channel::kMaxChecks; i < Channel::kMaxJobs; i++) CHECK(channel.reserve(ResultKind::settled));
  CHECK(!channel.reserve(ResultKind::settled));
  channel.deliver({.kind = ResultKind::checked, .id = 1});
  channel.drain();
  CHECK(channel.reserve(ResultKind::checked));
  for (int i = 0; i < 5'000; i++) channel.wake(1);
  const std::vector<Result> results = channel.drain();
  CHECK(results.back().kind == ResultKind::wake && results.back().id == 0);
}

TEST("channel: results of several threads all arrive, whatever the moment they are looked for") {
  constexpr std::uint32_t kThreads = 3, kEach = 5'000;
  Semaphore told;
  Channel channel([&] { told.release(); });
  for (std::uint32_t i = 0; i < kThreads * kEach; i++) CHECK(channel.reserve(ResultKind::settled));
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kThreads; i++) {
    threads.emplace_back([&] {
      for (std::uint32_t n = 0; n < kEach; n++) channel.deliver({.kind = ResultKind::settled, .id = n});
    });
  }
  // Hangs where a result is pushed and nobody is told.
  for (std::size_t seen = 0; seen < kThreads * kEach; seen += channel.drain().size()) told.acquire();
  for (std::thread& thread : threads) thread.join();
}

TEST("pipeline: may end with jobs that nobody has begun, and with a channel closed in mid-job") {
  for (int round = 0; round < 10; round++) {
    Rig rig(1024 * 1024, 32);
    const Bytes bytes(1024 * 1024, 3);
    const Digest expected = digestOf(bytes);
    const auto file = temporaryFile();
    for (std::uint64_t index = 0; index < 32; index++) {
      const auto piece = rig.take(index);
      CHECK(piece->write(0, bytes));
      rig.settle(piece, expected, {{file, index * bytes.size(), 0, bytes.size()}});
      rig.check(expected, {{nullptr, 0, 8'000'000}});
    }
    if (round % 2 == 0) rig.channel->close();
  }
}

}  // namespace
}  // namespace torrx::test
