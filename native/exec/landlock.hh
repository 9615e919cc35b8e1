// Landlock: which files may be opened and which port connected to, by the kernel, for this process and all it becomes
// (https://docs.kernel.org/userspace-api/landlock.html).
#pragma once

#include <cstdint>
#include <optional>

#include "failure.hh"
#include "options.hh"

namespace torrx::exec {

/** The kernel's version of it; 0 where there is none. */
int landlockVersion();

/** From which version on the kernel keeps connections to the one port. */
inline constexpr int kLandlockWithPorts = 4;

/** Nothing but what the options name, as far as this kernel goes. Needs no_new_privs. */
std::optional<Failure> enterLandlock(const Options& options);

}  // namespace torrx::exec
