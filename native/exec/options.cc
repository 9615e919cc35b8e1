#include "options.hh"

#include <charconv>
#include <climits>
#include <limits>
#include <string_view>

namespace torrx::exec {
namespace {

constexpr std::uint64_t kMaxAddressMib = std::uint64_t{1} << 24;
constexpr int kMaxNice = 19;

/** Digits alone, within [from, to]. */
std::optional<std::uint64_t> readNumber(std::string_view text, std::uint64_t from, std::uint64_t to) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < from || value > to) return std::nullopt;
  return value;
}

bool isPath(std::string_view text) { return text.starts_with('/') && text.size() < PATH_MAX; }

bool addPath(std::vector<std::string>& paths, std::string_view text) {
  if (!isPath(text)) return false;
  paths.emplace_back(text);
  return true;
}

template <typename Target>
bool setNumber(Target& target, std::string_view text, std::uint64_t from, std::uint64_t to) {
  const auto value = readNumber(text, from, to);
  if (value) target = static_cast<typename std::remove_reference_t<decltype(target)>>(*value);
  return value.has_value();
}

/** Options without a value; false: no such one. */
bool takeFlag(Options& options, std::string_view name) {
  if (name == "--may-fork") return options.mayFork = true;
  if (name == "--list-libraries") return options.listsLibraries = true;
  return false;
}

/** False: no such option, or not such a value. */
bool takeOption(Options& options, std::string_view name, std::string_view value) {
  if (name == "--parent") return setNumber(options.parent, value, 1, std::numeric_limits<pid_t>::max());
  if (name == "--nice") return setNumber(options.nice, value, 0, kMaxNice);
  if (name == "--address-mib") return setNumber(options.addressMib, value, 1, kMaxAddressMib);
  if (name == "--connect") return setNumber(options.connectPort, value, 1, std::numeric_limits<std::uint16_t>::max());
  if (name == "--read") return addPath(options.readable, value);
  if (name == "--run") return addPath(options.runnable, value);
  if (name == "--device") return addPath(options.devices, value);
  return false;
}

Parsed takeProgram(Options options, std::span<char* const> words) {
  if (options.parent == 0) return "--parent is missing";
  if (words.size() < 2) return "behind -- come a program and its name";
  if (!isPath(words.front())) return "the program is not an absolute path";
  options.program = words.front();
  options.arguments.assign(words.begin() + 1, words.end());
  return options;
}

}  // namespace

Parsed parseOptions(std::span<char* const> words) {
  if (words.size() == 1 && std::string_view(words.front()) == "--check") return CheckOnly{};
  Options options;
  while (!words.empty()) {
    const std::string_view name = words.front();
    words = words.subspan(1);
    if (name == "--") return takeProgram(std::move(options), words);
    if (takeFlag(options, name)) continue;
    if (words.empty() || !takeOption(options, name, words.front())) return "wrong option: " + std::string(name);
    words = words.subspan(1);
  }
  return "-- is missing";
}

}  // namespace torrx::exec
