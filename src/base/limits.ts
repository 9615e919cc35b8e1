// Every bound that hostile or careless input can meet, in one place (QUALITY B3, ENGINE §5, PRODUCT §8). Each has a
// test at the limit and one past it.

const KIB = 1024;
const MIB = 1024 * KIB;

/** The unit of request on the wire (BEP 3). */
export const BLOCK_BYTES = 16 * KIB;

export const LIMITS = {
  metainfo: {
    torrentFileBytes: 32 * MIB,
    torrentUrlMs: 30_000,
    infoBytes: 16 * MIB,
    pieces: 2 ** 21,
    pieceBytesMin: 16 * KIB,
    pieceBytesMax: 256 * MIB,
    files: 100_000,
    pathDepth: 64,
    pathComponentBytes: 255,
    pathBytes: 2048,
    trackerUrlChars: 2048,
    tokens: 2_000_000,
    depth: 64,
    trackers: 64,
    magnetChars: 16 * KIB,
    magnetPeers: 32,
    selectOnlyRanges: 10_000,
    nameBytes: 255,
  },
  disk: {
    /** Kept free when a torrent is added: this much, or this share of a small disk. */
    reserveBytes: 1024 * MIB,
    reserveShare: 0.05,
  },
  frame: {
    extendedBytes: 256 * KIB,
    extendedHandshakeBytes: 16 * KIB,
    bitfieldBeforeMetadataBytes: 256 * KIB,
    unknownBytes: 16 * KIB,
  },
  peer: {
    handshakeMs: 8_000,
    connectMs: 10_000,
    connectBusyMs: 5_000,
    idleMs: 120_000,
    keepAliveMs: 100_000,
    /** Requests that a peer is assumed to take which announces no reqq. */
    requestQueue: 250,
    /** What we announce as reqq: some clients ask once a second only, and this is then all they get in it. */
    requestsTaken: 2_000,
    requestBytes: 128 * KIB,
    chokedRequests: 300,
    invalidRequests: 300,
    unsolicitedBlocksPerMinute: 64,
    outQueueBytes: MIB,
    /** How long more than outQueueBytes, blocks aside, may wait for a peer that does not read. */
    outQueueStuckMs: 60_000,
    /** Control frames of one peer that are acted on before others get their turn. */
    controlFramesPerTurn: 1_000,
    /** Incoming connections that have not shaken hands yet, in all and from one address. */
    pendingIncoming: 60,
    pendingIncomingPerHost: 5,
    perTorrent: 60,
    perStreamedTorrent: 100,
    total: 300,
    /** Places that dials leave free. */
    reservedForIncoming: 10,
    halfOpen: 50,
    /** Connects given up by us that the kernel still tries. */
    abandonedDials: 500,
    dialsPerSec: 20,
    dialBurst: 30,
    candidates: 2_000,
  },
  tracker: {
    responseBytes: MIB,
    timeoutMs: 15_000,
    redirects: 3,
    intervalMinSec: 60,
    intervalMaxSec: 4 * 3600,
    intervalDefaultSec: 1800,
    /** Between two announces that nobody asked for by hand or for want of peers. */
    announceMinSec: 300,
    peersPerReply: 1_000,
    peersWanted: 200,
    announcesAtOnce: 64,
    announcesAtOncePerHost: 8,
    backoffFirstSec: 5,
    backoffMaxSec: 3600,
    stoppedMs: 1_000,
  },
  dht: {
    peersPerLookup: 500,
    lookupsAtOnce: 8,
    nodesKept: 500,
    packetBytes: 2 * KIB,
    packetsPerSecPerHost: 20,
    packetsPerSec: 2_000,
    hostsTracked: 4_096,
    answerBytesPerSec: 16 * KIB,
    peersPerAnswer: 50,
    questions: 1_024,
    questionMs: 10_000,
    peersStored: 10_000,
    peerStoredMs: 30 * 60_000,
  },
  choker: { slots: 8, roundMs: 10_000, optimisticMs: 30_000, quotaPieces: 20, quotaMs: 60_000 },
  runs: {
    /** One box of ffmpeg's output holds one frame. */
    boxBytes: 64 * MIB,
    segmentBytes: 128 * MIB,
    /** What each costs beside its bytes adds up: no film has so many in a segment. */
    segmentSamples: 20_000,
    /** At once, in the whole process: those that copy or make sound; those that encode pictures have cores / 4. */
    cheapAtOnce: 8,
    perRendition: 2,
    /** How long one waits for its turn: longer than a player's old quality is kept beside its new one. */
    queueMs: 5_000,
    /** How often one who waits looks for a holder that has become idle. */
    idleLookMs: 250,
    /** A holder of a place that nobody has asked anything of for so long gives it up to one who waits. */
    idleBeforeYieldMs: 10_000,
    idleMs: 60_000,
    /** What a run may be ahead of the furthest viewer. */
    leadCopySec: 30,
    leadEncodeSec: 15,
    /** A run is waited for when it is at most so many segments before the one that is asked for. */
    joinSegments: 3,
    /** A run ends where so many segments in a row are in the store already. */
    storedAhead: 3,
    seekDebounceMs: 150,
    /** Without progress. */
    waitMs: 20_000,
    retryAfterSec: 2,
    /** For so long a segment that could not be made is refused at once. */
    failureMs: 10_000,
    /** Keyframes that ffmpeg is told of in one argument, which Linux bounds to 128 KiB. */
    forcedKeyframes: 6_000,
  },
  http: {
    headerBytes: 16 * KIB,
    jsonBytes: MIB,
    /** A .torrent of the largest size with the multipart form around it. */
    uploadBytes: 32 * MIB + 64 * KIB,
    streams: 64,
    streamsPerAddress: 16,
    readersPerStream: 16,
    connections: 512,
    /** Requests of one connection that are not answered yet. */
    pipelined: 1_024,
    headersMs: 10_000,
    /** For a whole request with its body. */
    requestMs: 120_000,
    keepAliveMs: 65_000,
    eventSubscribers: 64,
  },
  /** What is read of a film's container before it is given up as one without an index. */
  mediaIndex: {
    /** Bytes are asked for in whole pages. */
    pageBytes: 64 * KIB,
    /** A read longer than this goes past the pages. */
    directReadBytes: MIB,
    totalBytes: 160 * MIB,
    /** Matroska: SeekHead, Info, Tracks, each. */
    metadataBytes: 8 * MIB,
    cuesBytes: 64 * MIB,
    moovBytes: 64 * MIB,
    /** sidx, mfra or the head of a fragment. */
    fragmentIndexBytes: 8 * MIB,
    tracks: 128,
    /** What sets a decoder up is a few hundred bytes; a longer one is not told. */
    codecPrivateBytes: MIB,
    /** MP4: boxes of one parent. */
    boxes: 512,
    keyframes: 1_000_000,
    samples: 2 ** 21,
    edits: 64,
    /** Edits × samples: what an edit list makes of a track takes time with both. */
    editedSamples: 2 ** 24,
    /** Boxes or elements that a walk through the file may visit. */
    elementsWalked: 512,
    /** Clusters that are stepped over in search of Cues; each may cost a piece. */
    clustersWalked: 16,
  },
  playback: {
    /** Players whose session is remembered, awake or not. */
    sessionsKept: 256,
  },
  hls: {
    /** Of one rendition; a longer film gets longer segments. */
    segments: 100_000,
    /** What is told beyond this of a film's length is a lie, or nobody's evening. */
    filmSec: 100 * 3600,
    /** Finished segments in memory, and in the temporary folder. */
    memoryBytes: 64 * MIB,
    diskBytes: 2048 * MIB,
    /** Of what would be free without them. */
    diskShare: 0.1,
    /** With less than this free nothing is written there. */
    diskFreeBytes: 1024 * MIB,
  },
  subtitles: {
    fileBytes: 16 * MIB,
    /** Of one track; typeset films have tens of thousands. What comes after is left out. */
    cues: 50_000,
    cueChars: 4_000,
    /** With its markup. */
    cueMarkupChars: 16_000,
    /** Entries of a container's index that are kept, over all text tracks of a file. */
    cuePoints: 200_000,
    /** A block or sample of a text track; packed ones may not grow beyond it. */
    sampleBytes: 256 * KIB,
    /** Listed of one film. */
    sidecars: 200,
  },
  /** ffmpeg and ffprobe. */
  program: {
    /** What is kept of the last that it wrote to stderr. */
    stderrBytes: 64 * KIB,
    /** Between TERM and KILL. */
    termMs: 500,
    /** For telling its version. */
    answerMs: 10_000,
    answerBytes: 64 * KIB,
    /** The names of the libraries that it loads; some builds have hundreds. */
    librariesBytes: MIB,
    /** Address space, and of it for each core: every thread reserves stack and heap that it never touches. */
    addressMib: 2_048,
    encodeAddressMib: 4_096,
    addressMibPerCore: 192,
  },
  /** What is taken of ffprobe's answer about a file, and how long it is waited for while it has bytes to read. */
  probe: {
    withinMs: 15_000,
    outputBytes: 4 * MIB,
    /** Of the file, where its container does not need more. */
    readBytes: 5_000_000,
    streams: 512,
    audioTracks: 64,
    subtitleTracks: 128,
    edgePixels: 16_384,
    titleChars: 120,
  },
  encoderTrial: { withinMs: 10_000, outputBytes: MIB },
} as const;
