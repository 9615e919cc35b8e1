// What this process gives up or sets for itself, which the program inherits through execve.
#pragma once

#include <optional>

#include "failure.hh"
#include "options.hh"

namespace torrx::exec {

/**
 * Ends with the thread that started us. False when that is too late already. The kernel forgets it when rights are
 * gained, and on nothing that happens here afterwards.
 */
bool dieWithParent(pid_t parent);

/** Process group, signals, priority, descriptors: what cannot fail, or does no harm where it does. */
void settleIn(const Options& options);

std::optional<Failure> limitResources(const Options& options);

/** No capability, not even for root, and none to be gained by a program with the set-user-ID bit. */
std::optional<Failure> giveUpPrivileges();

}  // namespace torrx::exec
