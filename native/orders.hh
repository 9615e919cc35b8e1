// Every memory ordering that the lock-free parts hang on, with its argument; the code names them where they are used.
//
// Each can be weakened alone by -DTORRX_WEAKEN_<NAME>. The tests build each of these and demand that they fail: that is
// how it is known that they would see a real mistake of this kind. The product is never built with one.
//
// seq_cst operations stand where two threads each write one word and then read the other's (store buffering, Dekker):
// acquire and release alone allow both to read the old value. Operations rather than fences, because ThreadSanitizer
// understands operations only; on x86-64 the loads cost nothing and the stores one locked instruction.
#pragma once

#include <atomic>

namespace torrx::orders {

#ifdef TORRX_WEAKEN_PUBLISH
inline constexpr auto kPublish = std::memory_order_relaxed;
#else
/** CAS that fills a slot. Release: the slab's bytes, written before, are seen by whoever reads the word (kSlot). Seq_cst:
 *  pair 1 with kRange (slot written, then range read) and pair 2 with kWaiting (slot written, then waiting read). */
inline constexpr auto kPublish = std::memory_order_seq_cst;
#endif

/** Loads and other changes of a slot. Acquire: pairs with kPublish. Seq_cst: the consumer's second look, after range
 *  (pair 1: sweep) or waiting (pair 2: read) were written. */
inline constexpr auto kSlot = std::memory_order_seq_cst;

#ifdef TORRX_WEAKEN_RANGE
inline constexpr auto kRangeStore = std::memory_order_release;
#else
/** Pair 1. Consumer: range written, then the slots that left it read (sweep). Producer: slot written, then range read
 *  (recheck). One of the two sees the other, so nothing out of range stays in the ring. */
inline constexpr auto kRangeStore = std::memory_order_seq_cst;
#endif
inline constexpr auto kRangeLoad = std::memory_order_seq_cst;

#ifdef TORRX_WEAKEN_RANGE_RECHECK
inline constexpr bool kRecheckRange = false;
#else
/** The producer's half of pair 1. */
inline constexpr bool kRecheckRange = true;
#endif

#ifdef TORRX_WEAKEN_WAITING
inline constexpr auto kWaitingStore = std::memory_order_release;
#else
/** Pair 2. Consumer: waiting written, then slot, have, state, siblings read again. Producer: one of those written (all
 *  of them seq_cst), then waiting read. Either the consumer sees the change or the producer sees that it must wake. */
inline constexpr auto kWaitingStore = std::memory_order_seq_cst;
#endif
#ifdef TORRX_WEAKEN_WAITING_LOOK
inline constexpr bool kLookAgain = false;
#else
/** The consumer's half of pair 2. */
inline constexpr bool kLookAgain = true;
#endif
inline constexpr auto kWaitingLoad = std::memory_order_seq_cst;

#ifdef TORRX_WEAKEN_TAKE_RECHECK
inline constexpr bool kRecheckTake = false;
#else
/** A slot is looked at again once a reference of its slab is held: between the first look and the reference the slab may
 *  have been freed and filled with something else. If the word is unchanged the slot owned a reference at that moment and
 *  ours is not of a later life of the slab, because a new life begins with a store that the reference reads (kNewLife,
 *  kTryRef) after the word was changed. */
inline constexpr bool kRecheckTake = true;
#endif

/** The count of a slab handed out. Release, read by kTryRef's acquire: whoever gets a reference of the new life also
 *  sees that the slot of the old one was changed, which happened before its last unref. */
inline constexpr auto kNewLife = std::memory_order_release;
inline constexpr auto kTryRef = std::memory_order_acquire;

#ifdef TORRX_WEAKEN_TRY_REF
inline constexpr bool kRefuseFree = false;
#else
/** A slab without references is never given one: it is free, or about to be handed out. */
inline constexpr bool kRefuseFree = true;
#endif

#ifdef TORRX_WEAKEN_UNREF
inline constexpr auto kUnref = std::memory_order_relaxed;
#else
/** Release: this holder's reads of the slab are over. Acquire (of the last one): so are everybody's, before the slab is
 *  written by its next owner. */
inline constexpr auto kUnref = std::memory_order_acq_rel;
#endif

/** One more reference by somebody who has one: nothing is published by it. */
inline constexpr auto kRef = std::memory_order_relaxed;
/** Figures order nothing. */
inline constexpr auto kFigure = std::memory_order_relaxed;

}  // namespace torrx::orders
