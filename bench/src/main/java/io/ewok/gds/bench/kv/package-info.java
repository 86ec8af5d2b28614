/**
 * Workloads for ordered key-value stores, the same for ours, RocksDB and LMDB: {@code ./gds bench
 * kv}.
 *
 * <p>A {@code KvCase} is a workload, a {@code KvGroup} the cases that share a store; a {@code
 * KvTurn} runs one group for one {@code KvContender} in a JVM of its own. All have the same memory,
 * sizes of blocks and tables, durability and compression ({@code KvSettings}). Whatever is read is
 * checked. What an empty store takes is the workload's own cost.
 */
package io.ewok.gds.bench.kv;
