// Windows and their pins.

#include <napi.h>

#include "arguments.hh"
#include "bind.hh"

namespace torrx {
namespace {

struct Named {
  JsThread* thread;
  std::shared_ptr<Window> window;
};

/** The arguments thread and window that most functions begin with; a null window: there is none. */
Named ownWindow(Arguments& given) {
  JsThread* thread = given.thread(0);
  const Token token = given.token(1);
  return {thread, thread != nullptr ? thread->window(token) : nullptr};
}

Napi::Value openWindow(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const Token torrentToken = given.token(1);
  const std::uint64_t start = given.whole(2);
  const std::uint64_t length = given.whole(3);
  const auto torrent = thread != nullptr ? thread->process.torrents.get(torrentToken) : nullptr;
  const std::uint64_t total = torrent ? torrent->geometry().totalBytes : Arguments::kMaxWhole;
  if (length == 0 || start > total || length > total - start) given.fail(3, "is not inside of the torrent");
  if (given.isBad()) return info.Env().Undefined();
  const Token token =
      torrent ? thread->process.openWindow(torrent, {start, start + length}, thread->channel) : 0;
  if (token != 0) thread->windows.insert(token);
  return Napi::Number::New(info.Env(), double(token));
}

void setWindowSource(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto [thread, window] = ownWindow(given);
  const Token file = given.token(2);
  if (!given.isBad() && window) window->setSource(thread->file(file));
}

void shapeWindow(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto [thread, window] = ownWindow(given);
  const WindowShape shape{.behindBytes = given.whole(2), .aheadBytes = given.whole(3), .readAheadBytes = given.whole(4)};
  if (!given.isBad() && window) window->shape(shape);
}

Napi::Value readWindow(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto [thread, window] = ownWindow(given);
  const std::uint64_t at = given.whole(2);
  const std::uint64_t most = given.whole(3);
  const std::span<double> out = given.doubles(4);
  if (out.size() < 4) given.fail(4, "is too short");
  if (most == 0) given.fail(3, "must be positive");
  if (window && at >= window->file().end - window->file().start) given.fail(2, "is not inside of the file");
  if (given.isBad()) return info.Env().Undefined();
  if (!window) return Napi::Number::New(info.Env(), double(ReadStatus::gone));
  const ReadResult read = window->read(at, most);
  if (read.status == ReadStatus::chunk) {
    const Chunk& chunk = read.chunk;
    const Token pin = thread->pins.add(chunk);
    if (pin == 0) return throwError(info.Env(), "too many pins are held");
    out[0] = chunk.slab / kSlabsPerRegion;
    out[1] = double(chunk.slab % kSlabsPerRegion * kSlabBytes + chunk.offset);
    out[2] = chunk.length;
    out[3] = double(pin);
  }
  return Napi::Number::New(info.Env(), double(read.status));
}

void unpin(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const Token pin = given.token(1);
  if (!given.isBad() && thread != nullptr) thread->pins.release(pin);
}

void windowFigures(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto [thread, window] = ownWindow(given);
  const std::span<double> out = given.doubles(2);
  if (out.size() < 6) given.fail(2, "is too short");
  if (given.isBad()) return;
  const WindowFigures figures = window ? window->figures() : WindowFigures{};
  const std::uint64_t all[] = {figures.bytes, figures.aheadBytes, figures.behindBytes,
                               figures.hits,  figures.misses,     figures.diskReads};
  std::copy(std::begin(all), std::end(all), out.begin());
}

}  // namespace

void bindWindows(Napi::Object exports) {
  const Napi::Env env = exports.Env();
  exports.Set("openWindow", Napi::Function::New<openWindow>(env));
  exports.Set("setWindowSource", Napi::Function::New<setWindowSource>(env));
  exports.Set("shapeWindow", Napi::Function::New<shapeWindow>(env));
  exports.Set("readWindow", Napi::Function::New<readWindow>(env));
  exports.Set("unpin", Napi::Function::New<unpin>(env));
  exports.Set("windowFigures", Napi::Function::New<windowFigures>(env));
  exports.Set("closeWindow", Napi::Function::New<giveBack<&JsThread::closeWindow>>(env));
}

}  // namespace torrx
