// Reads the arguments of one call from JavaScript. The first that is wrong is remembered and thrown by isBad(); whoever
// reads them must ask before he uses any. Nothing here runs JavaScript, so a buffer cannot change under a call.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "js_thread.hh"

namespace torrx {

/** For a function to return. */
inline Napi::Value throwError(Napi::Env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return env.Undefined();
}

class Arguments {
 public:
  static constexpr std::uint64_t kMaxWhole = (std::uint64_t{1} << 53) - 1;

  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  static bool isWhole(double value) { return value >= 0 && value <= double(kMaxWhole) && std::trunc(value) == value; }

  std::uint64_t whole(std::size_t at, std::uint64_t most = kMaxWhole) {
    if (!info_[at].IsNumber()) return fail(at, "must be a number"), 0;
    const double value = info_[at].As<Napi::Number>().DoubleValue();
    if (!isWhole(value) || std::uint64_t(value) > most) return fail(at, "is out of range"), 0;
    return std::uint64_t(value);
  }

  /** Of a token: 0, which names nothing, for a number that cannot be one. */
  Token token(std::size_t at) {
    if (!info_[at].IsNumber()) return fail(at, "must be a number"), 0;
    const double value = info_[at].As<Napi::Number>().DoubleValue();
    return isWhole(value) ? Token(value) : 0;
  }

  /** null: closed, or not of this thread. */
  JsThread* thread(std::size_t at) { return JsThreads::instance().get(token(at)); }

  /** Empty where its ArrayBuffer was detached. */
  std::span<std::uint8_t> bytes(std::size_t at) { return array<std::uint8_t>(at, napi_uint8_array); }
  std::span<double> doubles(std::size_t at) { return array<double>(at, napi_float64_array); }

  Digest digest(std::size_t at) {
    const std::span<std::uint8_t> given = bytes(at);
    Digest digest{};
    if (given.size() == digest.size()) std::copy_n(given.data(), digest.size(), digest.data());
    else fail(at, "must have 20 bytes");
    return digest;
  }

  std::string text(std::size_t at) {
    if (!info_[at].IsString()) return fail(at, "must be a string"), "";
    return info_[at].As<Napi::String>().Utf8Value();
  }

  /** For what only the caller can check. */
  void fail(std::size_t at, const char* what) {
    if (problem_.empty()) problem_ = "argument " + std::to_string(at + 1) + " " + what;
  }

  /** True: a JavaScript error is thrown, and the call is to return. */
  bool isBad() const {
    if (problem_.empty()) return false;
    napi_throw_range_error(info_.Env(), nullptr, problem_.c_str());
    return true;
  }

 private:
  template <typename Element>
  std::span<Element> array(std::size_t at, napi_typedarray_type wanted) {
    napi_typedarray_type type{};
    std::size_t length = 0;
    void* data = nullptr;
    const bool isArray = info_[at].IsTypedArray() && napi_get_typedarray_info(info_.Env(), info_[at], &type, &length,
                                                                              &data, nullptr, nullptr) == napi_ok;
    if (!isArray || type != wanted) return fail(at, "must be a typed array of the right kind"), std::span<Element>{};
    if (data == nullptr) return {};
    return {static_cast<Element*>(data), length};
  }

  const Napi::CallbackInfo& info_;
  std::string problem_;
};

/** A function of the addon: the thread gives back what the token names. Stale ones and a closed thread are nothing. */
template <void (JsThread::*release)(Token)>
void giveBack(const Napi::CallbackInfo& info) {
  Arguments given(info);
  JsThread* thread = given.thread(0);
  const Token token = given.token(1);
  if (!given.isBad() && thread != nullptr) (thread->*release)(token);
}

}  // namespace torrx
