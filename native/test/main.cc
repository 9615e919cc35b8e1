// Runs the tests whose names contain the argument, or all of them. One line per test; the first failure ends the process.
#include <cstring>

#include "check.hh"

namespace torrx::test {

static std::uint64_t number(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

std::chrono::milliseconds stressTime() { return std::chrono::milliseconds(number("TORRX_STRESS_MS", 500)); }
std::uint64_t stressOps() { return number("TORRX_STRESS_OPS", 0); }
std::uint64_t seed() { return number("TORRX_TEST_SEED", 1); }

}  // namespace torrx::test

int main(int count, char** arguments) {
  int run = 0;
  for (const auto& test : torrx::test::tests()) {
    if (count > 1 && !std::strstr(test.name, arguments[1])) continue;
    std::printf("%s\n", test.name);
    std::fflush(stdout);
    test.run();
    ++run;
  }
  std::printf("%d passed\n", run);
  return run == 0;
}
