// A filter of system calls (seccomp) for what Landlock does not see: sockets that are not TCP, new processes, signals,
// the attributes of files, other processes' memory. Refused calls fail; nothing is killed by it.
#pragma once

#include <optional>

#include "failure.hh"

namespace torrx::exec {

/** False on a kernel without it, and on a processor whose calls we have no table of. */
bool hasCallFilter();

/** Needs no_new_privs. Does nothing where hasCallFilter() is false. */
std::optional<Failure> enterCallFilter(bool mayFork);

}  // namespace torrx::exec
