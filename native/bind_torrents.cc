// Files that jobs read and write, and torrents.

#include <fcntl.h>
#include <napi.h>

#include <cerrno>
#include <cstring>

#include "arguments.hh"
#include "bind.hh"

namespace torrx {
namespace {

/** What keeps the bitmap and the unit numbers of a torrent within reason. */
constexpr std::uint64_t kMaxPieces = std::uint64_t{1} << 24;
constexpr std::uint64_t kMaxPieceBytes = std::uint64_t{1} << 30;

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

InfoHash infoHash(Arguments& given, std::size_t at) {
  const std::string text = given.text(at);
  InfoHash hash{};
  bool isHex = text.size() == 2 * hash.size();
  for (std::size_t i = 0; isHex && i < hash.size(); i++) {
    const int high = nibble(text[2 * i]);
    const int low = nibble(text[2 * i + 1]);
    isHex = high >= 0 && low >= 0;
    hash[i] = static_cast<std::uint8_t>(16 * high + low);
  }
  if (!isHex) given.fail(at, "must be 40 hex digits");
  return hash;
}

Napi::Value adoptFile(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const auto fd = static_cast<int>(given.whole(1, INT32_MAX));
  if (given.isBad()) return info.Env().Undefined();
  if (thread == nullptr) return throwError(info.Env(), "the native thread is closed");
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return throwError(info.Env(), std::string("the file cannot be taken over: ") + std::strerror(errno));
  const auto file = std::make_shared<File>(copy);
  const Token token = thread->process.files.insert([&](Token) { return file; });
  if (token == 0) return throwError(info.Env(), "too many files are open");
  thread->files.insert(token);
  return Napi::Number::New(info.Env(), double(token));
}

Napi::Value openTorrent(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const InfoHash hash = infoHash(given, 1);
  const Geometry geometry{.pieceLength = given.whole(2, kMaxPieceBytes), .totalBytes = given.whole(3)};
  if (geometry.pieceLength == 0) given.fail(2, "must be positive");
  else if (geometry.totalBytes == 0 || geometry.pieces() > kMaxPieces) given.fail(3, "is out of range");
  if (given.isBad()) return info.Env().Undefined();
  if (thread == nullptr) return throwError(info.Env(), "the native thread is closed");
  const Token token = thread->process.torrents.open(hash, geometry);
  if (token == 0) return throwError(info.Env(), "the torrent is open already");
  thread->torrents.insert(token);
  return Napi::Number::New(info.Env(), double(token));
}

Napi::Value findTorrent(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const InfoHash hash = infoHash(given, 0);
  if (given.isBad()) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), double(Process::instance().torrents.find(hash)));
}

Napi::Value renewTorrent(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const Token torrent = given.token(1);
  if (given.isBad()) return info.Env().Undefined();
  if (thread == nullptr) return throwError(info.Env(), "the native thread is closed");
  const Token next = thread->renewTorrent(torrent);
  if (next == 0) return throwError(info.Env(), "the torrent is not open, or too many are");
  return Napi::Number::New(info.Env(), double(next));
}

std::shared_ptr<Torrent> ownTorrent(Arguments& given) {
  JsThread* thread = given.thread(0);
  const Token token = given.token(1);
  return thread != nullptr && thread->torrents.contains(token) ? thread->process.torrents.get(token) : nullptr;
}

void setHave(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto torrent = ownTorrent(given);
  const std::span<std::uint8_t> bits = given.bytes(2);
  if (!given.isBad() && torrent) torrent->setHave(bits);
}

void addHave(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto torrent = ownTorrent(given);
  const std::uint64_t piece = given.whole(2);
  if (!given.isBad() && torrent) torrent->addHave(piece);
}

void removeHave(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto torrent = ownTorrent(given);
  const std::uint64_t piece = given.whole(2);
  if (!given.isBad() && torrent) torrent->removeHave(piece);
}

void setTorrentState(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto torrent = ownTorrent(given);
  const auto state = static_cast<TorrentState>(given.whole(2, std::uint64_t(TorrentState::internal)));
  if (!given.isBad() && torrent) torrent->setState(state);
}

}  // namespace

void bindTorrents(Napi::Object exports) {
  const Napi::Env env = exports.Env();
  exports.Set("adoptFile", Napi::Function::New<adoptFile>(env));
  exports.Set("releaseFile", Napi::Function::New<giveBack<&JsThread::releaseFile>>(env));
  exports.Set("openTorrent", Napi::Function::New<openTorrent>(env));
  exports.Set("findTorrent", Napi::Function::New<findTorrent>(env));
  exports.Set("closeTorrent", Napi::Function::New<giveBack<&JsThread::closeTorrent>>(env));
  exports.Set("renewTorrent", Napi::Function::New<renewTorrent>(env));
  exports.Set("setHave", Napi::Function::New<setHave>(env));
  exports.Set("addHave", Napi::Function::New<addHave>(env));
  exports.Set("removeHave", Napi::Function::New<removeHave>(env));
  exports.Set("setTorrentState", Napi::Function::New<setTorrentState>(env));
}

}  // namespace torrx
