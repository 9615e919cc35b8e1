// The command line: what the program to start may do. The parser is strict: whatever it does not know ends the start.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace torrx::exec {

/** Options never contradict one another: none takes back what another allows. */
struct Options {
  /** Who started us: when it is no longer there, neither are we. */
  pid_t parent = 0;
  /** Added to the parent's. */
  int nice = 0;
  /** Address space in MiB; none: as the parent has it. */
  std::optional<std::uint64_t> addressMib;
  /** Files, and folders with all that is below them. */
  std::vector<std::string> readable;
  std::vector<std::string> runnable;
  /** Readable, writable, and open to ioctl. */
  std::vector<std::string> devices;
  /** The one TCP port that may be connected to. */
  std::optional<std::uint16_t> connectPort;
  /** It may start processes, and signal them. */
  bool mayFork = false;
  /** The system's loader names what it would load, and runs nothing of the program. */
  bool listsLibraries = false;
  std::string program;
  /** argv of the program, its own name first. */
  std::vector<std::string> arguments;
};

struct CheckOnly {};

/** A string says what is wrong. */
using Parsed = std::variant<Options, CheckOnly, std::string>;

/** `words` without our own name. */
Parsed parseOptions(std::span<char* const> words);

}  // namespace torrx::exec
