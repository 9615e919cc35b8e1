// Pieces in the making, and the check of pieces on disk.

#include <napi.h>

#include <algorithm>
#include <cerrno>

#include "arguments.hh"
#include "bind.hh"

namespace torrx {
namespace {

constexpr std::size_t kWriteRunNumbers = 4;
constexpr std::size_t kCheckRunNumbers = 3;

std::uint64_t lengthOf(const Geometry& geometry, std::uint64_t piece) {
  return std::min(geometry.pieceLength, geometry.totalBytes - piece * geometry.pieceLength);
}

/** The arguments thread and piece that most functions begin with; null: there is no such piece. */
std::shared_ptr<Piece> ownPiece(Arguments& given) {
  JsThread* thread = given.thread(0);
  const Token token = given.token(1);
  return thread != nullptr ? thread->piece(token) : nullptr;
}

Napi::Value takePiece(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const Token torrentToken = given.token(1);
  const auto torrent = thread != nullptr ? thread->process.torrents.get(torrentToken) : nullptr;
  const std::uint64_t index = given.whole(2);
  const std::uint64_t length = given.whole(3);
  // Its slabs must be the units of the torrent that windows know.
  if (torrent && (index >= torrent->geometry().pieces() || length != lengthOf(torrent->geometry(), index))) {
    given.fail(3, "is not the length of that piece");
  }
  if (given.isBad()) return info.Env().Undefined();
  const Token token = torrent ? thread->process.pieces.take({torrent, index, length, thread->channel}) : 0;
  if (token != 0) thread->pieces.insert(token);
  return Napi::Number::New(info.Env(), double(token));
}

void writePiece(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto piece = ownPiece(given);
  const std::uint64_t at = given.whole(2);
  const std::span<std::uint8_t> chunk = given.bytes(3);
  const std::uint64_t from = given.whole(4);
  const std::uint64_t to = given.whole(5);
  if (from > to || to > chunk.size()) given.fail(5, "is not inside of the chunk");
  if (given.isBad() || !piece) return;
  if (!piece->write(at, chunk.subspan(from, to - from))) given.fail(2, "is not inside of the piece");
  given.isBad();
}

void advancePiece(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const auto piece = ownPiece(given);
  const std::uint64_t bytes = given.whole(2);
  if (piece && !piece->advance(bytes)) given.fail(2, "is not inside of the piece");
  if (given.isBad() || !piece || piece->isSealed()) return;
  if (piece->wantTurn()) thread->pipeline.verify(piece);
}

void copyPiece(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto piece = ownPiece(given);
  const std::uint64_t at = given.whole(2);
  const std::span<std::uint8_t> target = given.bytes(3);
  if (given.isBad() || !piece) return;
  if (!piece->copy(at, target)) given.fail(2, "is not inside of the piece");
  given.isBad();
}

/** The numbers of `runs` from `at` on, `each` of them for every run; false where they are none. */
bool areRuns(Arguments& given, std::size_t at, std::span<double> numbers, std::size_t each) {
  bool isGood = numbers.size() % each == 0;
  for (const double number : numbers) isGood = isGood && Arguments::isWhole(number);
  if (!isGood) given.fail(at, "does not hold runs");
  return isGood;
}

bool reachesTooFar(std::uint64_t at, std::uint64_t length, std::uint64_t end) { return at > end || length > end - at; }

std::vector<WriteRun> writeRuns(Arguments& given, std::size_t at, const JsThread& thread, std::uint64_t pieceLength) {
  std::vector<WriteRun> runs;
  const std::span<double> numbers = given.doubles(at);
  if (!areRuns(given, at, numbers, kWriteRunNumbers)) return runs;
  for (std::size_t i = 0; i < numbers.size(); i += kWriteRunNumbers) {
    const WriteRun run{thread.file(Token(numbers[i])), std::uint64_t(numbers[i + 1]), std::uint64_t(numbers[i + 2]),
                       std::uint64_t(numbers[i + 3])};
    if (reachesTooFar(run.atInPiece, run.length, pieceLength) ||
        reachesTooFar(run.atInFile, run.length, Arguments::kMaxWhole)) {
      given.fail(at, "holds a run that reaches beyond the piece");
    }
    runs.push_back(run);
  }
  return runs;
}

Napi::Value settlePiece(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const auto piece = ownPiece(given);
  Settlement settlement{.expected = given.digest(2), .runs = {}, .job = 0};
  if (piece) settlement.runs = writeRuns(given, 3, *thread, piece->length());
  if (given.isBad()) return info.Env().Undefined();
  if (!piece || piece->isSealed()) return Napi::Number::New(info.Env(), 0);
  const std::uint64_t job = settlement.job = thread->beginJob(ResultKind::settled);
  if (job == 0) return Napi::Number::New(info.Env(), -1);
  piece->seal(std::move(settlement));
  if (piece->wantTurn()) thread->pipeline.verify(piece);
  return Napi::Number::New(info.Env(), double(job));
}

Napi::Value checkOnDisk(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  auto job = std::make_unique<CheckJob>();
  job->expected = given.digest(1);
  const std::span<double> numbers = given.doubles(2);
  bool areOpen = true;
  if (thread != nullptr && areRuns(given, 2, numbers, kCheckRunNumbers)) {
    for (std::size_t i = 0; i < numbers.size(); i += kCheckRunNumbers) {
      const CheckRun run{thread->file(Token(numbers[i])), std::uint64_t(numbers[i + 1]), std::uint64_t(numbers[i + 2])};
      if (reachesTooFar(run.atInFile, run.length, Arguments::kMaxWhole)) given.fail(2, "holds a run without end");
      areOpen = areOpen && (numbers[i] == 0 || run.file);
      job->runs.push_back(run);
    }
  }
  if (given.isBad()) return info.Env().Undefined();
  job->job = thread != nullptr ? thread->beginJob(ResultKind::checked) : 0;
  if (job->job == 0) return Napi::Number::New(info.Env(), -1);
  const Napi::Number id = Napi::Number::New(info.Env(), double(job->job));
  job->channel = thread->channel;
  if (areOpen) thread->pipeline.check(std::move(job));
  else job->channel->deliver({ResultKind::checked, std::uint8_t(CheckStatus::failed), EBADF, job->job});
  return id;
}

}  // namespace

void bindPieces(Napi::Object exports) {
  const Napi::Env env = exports.Env();
  exports.Set("takePiece", Napi::Function::New<takePiece>(env));
  exports.Set("writePiece", Napi::Function::New<writePiece>(env));
  exports.Set("advancePiece", Napi::Function::New<advancePiece>(env));
  exports.Set("copyPiece", Napi::Function::New<copyPiece>(env));
  exports.Set("settlePiece", Napi::Function::New<settlePiece>(env));
  exports.Set("releasePiece", Napi::Function::New<giveBack<&JsThread::releasePiece>>(env));
  exports.Set("checkOnDisk", Napi::Function::New<checkOnDisk>(env));
}

}  // namespace torrx
