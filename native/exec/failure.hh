// What went wrong, as one line, and with which code the program then ends. Codes are those of env(1): 125 the sandbox,
// 126 a program that cannot be run, 127 a program that is not there.
#pragma once

#include <cstring>
#include <string>

namespace torrx::exec {

struct Failure {
  static constexpr int kOurs = 125;
  static constexpr int kNotRunnable = 126;
  static constexpr int kNotFound = 127;

  int exitCode = kOurs;
  std::string text;
};

inline Failure failure(const std::string& what, int errnoCode) {
  return {Failure::kOurs, what + ": " + std::strerror(errnoCode)};
}

}  // namespace torrx::exec
