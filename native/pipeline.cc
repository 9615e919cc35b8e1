#include "pipeline.hh"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "file_io.hh"
#include "window.hh"

namespace torrx {
namespace {

constexpr unsigned kWriters = 2;
constexpr unsigned kReaders = 2;
/** At 400 MB/s the next 1 MiB piece is there. */
constexpr std::chrono::milliseconds kCompanyWait{3};
constexpr std::size_t kCheckBytes = 256 * 1024;

/** One hashes 2 GB/s; two are for machines that have the cores to spare. */
unsigned verifierCount() { return std::thread::hardware_concurrency() >= 4 ? 2 : 1; }

int writeRun(const Slabs& slabs, const WriteRun& run) {
  if (!run.file) return EBADF;
  std::vector<iovec> parts;
  for (std::uint64_t done = 0; done < run.length;) {
    const std::span<std::uint8_t> bytes = slabs.bytesAt(run.atInPiece + done, run.length - done);
    parts.push_back({bytes.data(), bytes.size()});
    done += bytes.size();
  }
  return writeAll(run.file->fd(), std::move(parts), run.atInFile).errnoCode;
}

struct CheckOutcome {
  CheckStatus status = CheckStatus::passed;
  int errnoCode = 0;
};

CheckOutcome hashRun(Sha1& sha1, const CheckRun& run, std::span<std::uint8_t> buffer, const Channel& channel) {
  if (!run.file) std::fill(buffer.begin(), buffer.end(), std::uint8_t{0});
  for (std::uint64_t done = 0; done < run.length && !channel.isClosed();) {
    const auto bytes = buffer.first(std::min<std::uint64_t>(buffer.size(), run.length - done));
    if (run.file) {
      const Transfer read = readAll(run.file->fd(), {{bytes.data(), bytes.size()}}, run.atInFile + done);
      if (read.errnoCode != 0) return {CheckStatus::failed, read.errnoCode};
      if (read.bytes < bytes.size()) return {CheckStatus::isShort};
    }
    sha1.update(bytes);
    done += bytes.size();
  }
  return {};
}

CheckOutcome outcomeOf(const CheckJob& job) {
  std::vector<std::uint8_t> buffer(kCheckBytes);
  Sha1 sha1;
  for (const CheckRun& run : job.runs) {
    const CheckOutcome outcome = hashRun(sha1, run, buffer, *job.channel);
    if (outcome.status != CheckStatus::passed) return outcome;
  }
  return {sha1.finish() == job.expected ? CheckStatus::passed : CheckStatus::different};
}

void runCheck(const CheckJob& job) {
  if (job.channel->isClosed()) return;
  const CheckOutcome outcome = outcomeOf(job);
  job.channel->deliver({ResultKind::checked, static_cast<std::uint8_t>(outcome.status), outcome.errnoCode, job.job});
}

void deliverSettled(const Piece& piece, SettleStatus status, int errnoCode = 0) {
  piece.channel().deliver(
      {ResultKind::settled, static_cast<std::uint8_t>(status), errnoCode, piece.settlement().job});
}

}  // namespace

Pipeline::Pipeline(SlabPool& pool, DiskFigures& figures)
    : pool_(pool),
      figures_(figures),
      writers_(kWriters, PieceTable::kCapacity, [this](std::shared_ptr<Piece> piece) { runWrite(*piece); }),
      verifiers_(verifierCount(), PieceTable::kCapacity, [this](auto piece) { runVerify(std::move(piece)); }),
      readers_(kReaders, kReads, [this](ReadJob job) { runRead(job); }),
      checkers_(1, kChecks, [](std::unique_ptr<CheckJob> job) { runCheck(*job); }) {}

// Two pieces side by side take the processor little longer than one. What nobody watches may wait a moment for company.
void Pipeline::runVerify(std::shared_ptr<Piece> piece) {
  piece->beginTurn();
  if (sha1CompressTwoOf(chosenSha1Path()) != nullptr) {
    const auto other = verifiers_.another(piece->isWatched() ? std::chrono::milliseconds(0) : kCompanyWait);
    if (other) {
      (*other)->beginTurn();
      Piece::hashTogether(*piece, **other);
      finishVerify(std::move(piece));
      return finishVerify(std::move(*other));
    }
  }
  finishVerify(std::move(piece));
}

void Pipeline::finishVerify(std::shared_ptr<Piece> piece) {
  if (piece->channel().isClosed()) return;
  while (!piece->hash()) {
    if (!piece->goesOn()) return;
  }
  if (!piece->isIntact()) return deliverSettled(*piece, SettleStatus::corrupt);
  // Viewers first: what they wait for must not wait for the disk.
  piece->publish();
  writers_.pushToRoom(std::move(piece));
}

void Pipeline::runWrite(const Piece& piece) {
  if (piece.channel().isClosed()) return;
  for (const WriteRun& run : piece.settlement().runs) {
    const int errnoCode = writeRun(piece.slabs(), run);
    if (errnoCode != 0) return deliverSettled(piece, SettleStatus::failed, errnoCode);
  }
  deliverSettled(piece, SettleStatus::written);
}

// Memory is asked for all units at once, so that they lie together; where it is short, for one at a time, and beyond
// the capacity only for the one that a viewer waits for.
void Pipeline::runRead(const ReadJob& job) {
  if (job.window->wants(job)) {
    Slabs together(pool_);
    if (together.allocate(job.count)) {
      readUnits(job, job.first, together);
    } else {
      for (Unit unit = job.first; unit < job.first + job.count; unit++) {
        Slabs one(pool_);
        const Limit limit = job.window->isWaitingFor(unit) ? Limit::ignore : Limit::respect;
        if (one.allocate(1, limit)) readUnits(job, unit, one);
      }
    }
  }
  job.window->finishRead(job);
}

void Pipeline::readUnits(const ReadJob& job, Unit first, const Slabs& slabs) {
  std::vector<iovec> parts;
  for (std::size_t i = 0; i < slabs.list().size(); i++) {
    const FileSpan span = job.window->spanInFile(first + i);
    const std::uint64_t at = i * kSlabBytes + span.atInSlab;
    parts.push_back({slabs.bytesAt(at, span.length).data(), span.length});
  }
  const Transfer read = readAll(job.file->fd(), parts, job.window->spanInFile(first).atInFile);
  figures_.reads.fetch_add(1, std::memory_order_relaxed);
  figures_.bytes.fetch_add(read.bytes, std::memory_order_relaxed);
  std::uint64_t left = read.bytes;
  for (std::size_t i = 0; i < parts.size(); i++) {
    // What comes after the failed one is given back by finishRead and asked for again when it is needed.
    if (left < parts[i].iov_len) return job.window->readFailed(job, first + i, read.errnoCode != 0 ? read.errnoCode : ENODATA);
    left -= parts[i].iov_len;
    job.window->fill(job, first + i, slabs.list()[i]);
  }
}

}  // namespace torrx
