// Opening and closing a JavaScript thread's share of the addon, the way its results come to it, and process-wide things.

#include <napi.h>

#include <memory>
#include <system_error>

#include "arguments.hh"
#include "bind.hh"
#include "file_io.hh"
#include "sha1.hh"

namespace torrx {
namespace {

constexpr std::size_t kResultNumbers = 4;

/** The thread-safe function of one JavaScript thread; made and ended on that thread. */
class ResultCall {
 public:
  explicit ResultCall(napi_threadsafe_function function) : function_(function) {}
  ~ResultCall() { napi_release_threadsafe_function(function_, napi_tsfn_abort); }
  ResultCall(const ResultCall&) = delete;
  ResultCall& operator=(const ResultCall&) = delete;

  void operator()() const { napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking); }

 private:
  const napi_threadsafe_function function_;
};

// The context is a token, not an address: a call that comes after the thread was closed finds nothing.
void* asContext(Token token) { return reinterpret_cast<void*>(token); }
Token tokenOf(void* context) { return reinterpret_cast<Token>(context); }

// Plain N-API and no look at what it answers: where the thread is being terminated any call may fail with an exception
// that cannot be thrown, for which node-addon-api ends the process. What onResults itself throws stays pending and
// becomes an uncaught exception of the loop.
void callWith(napi_env env, napi_value onResults, const std::vector<Result>& results) {
  const std::size_t count = results.size() * kResultNumbers;
  void* data = nullptr;
  napi_value buffer = nullptr, numbers = nullptr, self = nullptr;
  if (napi_create_arraybuffer(env, count * sizeof(double), &data, &buffer) != napi_ok) return;
  auto* next = static_cast<double*>(data);
  for (const Result& result : results) {
    *next++ = double(result.kind);
    *next++ = double(result.id);
    *next++ = result.status;
    *next++ = result.errnoCode;
  }
  if (napi_create_typedarray(env, napi_float64_array, count, buffer, 0, &numbers) != napi_ok) return;
  if (napi_get_undefined(env, &self) != napi_ok) return;
  napi_call_function(env, self, onResults, 1, &numbers, nullptr);
}

void deliverResults(napi_env env, napi_value onResults, void* context, void*) {
  JsThread* thread = env == nullptr ? nullptr : JsThreads::instance().get(tokenOf(context));
  if (thread == nullptr) return;
  const std::vector<Result> results = thread->channel->drain();
  if (!results.empty()) callWith(env, onResults, results);
}

void closeThread(void* token) { JsThreads::instance().remove(tokenOf(token)); }

napi_threadsafe_function makeResultCall(napi_env env, napi_value onResults, Token token) {
  napi_threadsafe_function function = nullptr;
  const Napi::String name = Napi::String::New(env, "torrx results");
  napi_create_threadsafe_function(env, onResults, nullptr, name, 0, 1, nullptr, nullptr, asContext(token),
                                  deliverResults, &function);
  return function;
}

Napi::Value open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsFunction()) return throwError(env, "argument 1 must be a function");
  const Token token = JsThreads::instance().reserve();
  if (token == 0) return throwError(env, "too many native threads are open");
  try {
    const auto call = std::make_shared<ResultCall>(makeResultCall(env, info[0], token));
    JsThreads::instance().add(token, std::make_unique<JsThread>([call] { (*call)(); }));
  } catch (const std::system_error& error) {
    JsThreads::instance().remove(token);
    return throwError(env, error.what());
  }
  // Where a Worker is ended nobody calls close(). Hooks run last-in first-out: ours before that of the function.
  napi_add_env_cleanup_hook(env, closeThread, asContext(token));
  return Napi::Number::New(env, double(token));
}

void close(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const Token token = given.token(0);
  if (given.isBad() || JsThreads::instance().get(token) == nullptr) return;
  napi_remove_env_cleanup_hook(info.Env(), closeThread, asContext(token));
  closeThread(asContext(token));
}

Napi::Value sha1Path(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), nameOf(chosenSha1Path()));
}

void setCapacity(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const std::uint64_t bytes = given.whole(0);
  if (!given.isBad()) Process::instance().pool.setCapacity(bytes);
}

Napi::Value region(const Napi::CallbackInfo& info) {
  const SlabPool& pool = Process::instance().pool;
  Arguments given(info);
  const auto index = static_cast<std::uint32_t>(given.whole(0, pool.regions() - 1));
  if (given.isBad()) return info.Env().Undefined();
  // No finalizer: the memory is mapped for as long as the process lives.
  return Napi::ArrayBuffer::New(info.Env(), pool.region(index), kRegionBytes);
}

void figures(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const std::span<double> out = given.doubles(0);
  Process& process = Process::instance();
  const SlabPool::Figures pool = process.pool.figures();
  const std::uint64_t all[] = {
      pool.usedBytes,
      pool.residentBytes,
      process.pieces.bytes(),
      pool.windowBytes,
      JsThreads::instance().pinnedBytes(),
      process.diskFigures.reads.load(std::memory_order_relaxed),
      process.diskFigures.bytes.load(std::memory_order_relaxed),
      process.pieces.size(),
      process.windows.size(),
      process.torrents.size(),
  };
  if (out.size() < std::size(all)) given.fail(0, "is too short");
  if (!given.isBad()) std::copy(std::begin(all), std::end(all), out.begin());
}

Napi::Value readNowInto(const Napi::CallbackInfo& info) {
  Arguments given(info);
  const auto fd = static_cast<int>(given.whole(0, INT32_MAX));
  const std::span<std::uint8_t> target = given.bytes(1);
  const std::uint64_t targetAt = given.whole(2);
  const std::uint64_t length = given.whole(3);
  const std::uint64_t fileAt = given.whole(4);
  if (targetAt > target.size() || length > target.size() - targetAt) given.fail(3, "reaches beyond the target");
  if (given.isBad()) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), double(readNow(fd, target.subspan(targetAt, length), fileAt)));
}

}  // namespace

void bindThreads(Napi::Object exports) {
  const Napi::Env env = exports.Env();
  exports.Set("open", Napi::Function::New<open>(env));
  exports.Set("close", Napi::Function::New<close>(env));
  exports.Set("sha1Path", Napi::Function::New<sha1Path>(env));
  exports.Set("setCapacity", Napi::Function::New<setCapacity>(env));
  exports.Set("region", Napi::Function::New<region>(env));
  exports.Set("figures", Napi::Function::New<figures>(env));
  exports.Set("readNow", Napi::Function::New<readNowInto>(env));
}

}  // namespace torrx
