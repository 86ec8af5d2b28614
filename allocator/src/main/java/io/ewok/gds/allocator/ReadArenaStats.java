package io.ewok.gds.allocator;

/**
 * What a {@link ReadArena} holds, and what it has done. Gathered without stopping anybody, so the
 * numbers of one record may differ by what happened meanwhile.
 *
 * <p>A value; threads: any.
 *
 * @param minBytes not given back below this
 * @param maxBytes never more than this
 * @param committedBytes in blocks, used or not: what is charged to the budget, unless more is set
 *     aside
 * @param smallPages live pages of 512 bytes
 * @param largePages live pages of 4096 bytes
 * @param smallBlocks blocks that serve pages of 512 bytes
 * @param largeBlocks blocks that serve pages of 4096 bytes
 * @param emptyBlocks blocks that serve none just now
 * @param blocksKeptByIo blocks whose pages are all released and that only operations in flight keep
 * @param waiting requests that wait
 * @param refusals allocations refused since creation
 * @param blocksGivenBack blocks given back to the system since creation
 * @param compactionPaused why no blocks are given back, as while the memory is registered with a
 *     ring; empty if they are. {@link ReadArena#compact} tries again.
 */
public record ReadArenaStats(
    long minBytes,
    long maxBytes,
    long committedBytes,
    long smallPages,
    long largePages,
    int smallBlocks,
    int largeBlocks,
    int emptyBlocks,
    int blocksKeptByIo,
    int waiting,
    long refusals,
    long blocksGivenBack,
    String compactionPaused) {}
