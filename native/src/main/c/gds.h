/*
 * The calls of libgds.so that are not liburing's.
 *
 * Every function returns a value of zero or more on success and -errno on failure, so that Java needs no errno
 * capture. A call that a signal may interrupt before it did anything is repeated here.
 */
#ifndef GDS_H
#define GDS_H

#include <stdint.h>

/* Raised with every incompatible change of this file; Java refuses a library of another version. */
#define GDS_ABI_VERSION 5

/* What gds_statx tells of a file: a fixed form of struct statx, which grows with kernel headers. */
struct gds_file_status {
    /* Of a block device too, for which the kernel's own is 0. */
    uint64_t size_bytes;
    uint64_t inode;
    uint64_t device;
    uint32_t mode;
    uint32_t hard_links;
    /* Alignment of memory and of file offsets for O_DIRECT; 0 where the file system does not report it. */
    uint32_t direct_memory_alignment_bytes;
    uint32_t direct_offset_alignment_bytes;
    /* The sizes of a write that the device does wholly or not at all; 0 where there are none. */
    uint32_t atomic_write_min_bytes;
    uint32_t atomic_write_max_bytes;
    /* The unit of transfers of a block device; 0 for other files. */
    uint32_t logical_block_bytes;
    /* What statfs calls the type of the file system: a magic number. */
    uint32_t file_system_type;
};

/* Everything else in the library's own sources is hidden. */
#pragma GCC visibility push(default)

int gds_abi_version(void);

/* Files. The memory begins at an offset in the buffer, so that Java makes no view of it for each transfer. */
int64_t gds_pread(int fd, void *buffer, uint64_t buffer_offset, uint64_t length_bytes, int64_t offset);
int64_t gds_pwrite(int fd, const void *buffer, uint64_t buffer_offset, uint64_t length_bytes, int64_t offset);
/* The flags are those of pwritev2, RWF_. */
int64_t gds_pwrite_with(
    int fd, const void *buffer, uint64_t buffer_offset, uint64_t length_bytes, int64_t offset, int flags);
/* To and from several pieces of memory, in their order: an array of struct iovec. */
int64_t gds_preadv(int fd, const void *pieces, int piece_count, int64_t offset);
int64_t gds_pwritev(int fd, const void *pieces, int piece_count, int64_t offset, int flags);
/* A sync that was interrupted is reported: one that is repeated may not know what the first one lost. */
int gds_fdatasync(int fd);
int gds_fsync(int fd);
int gds_fallocate(int fd, int mode, int64_t offset, int64_t length_bytes);
int gds_ftruncate(int fd, int64_t size_bytes);
int gds_statx(int fd, struct gds_file_status *status);

/*
 * TCP sockets, blocking, for transfers through io_uring. An address of 4 or 16 bytes becomes a sockaddr of the length
 * that is returned; there is room for GDS_SOCKET_ADDRESS_BYTES.
 */
#define GDS_SOCKET_ADDRESS_BYTES 28
int gds_socket(int address_bytes);
int gds_socket_address(void *result, const uint8_t *address, int address_bytes, int port, uint32_t scope);
int gds_bind_and_listen(int fd, const void *socket_address, int length_bytes, int backlog);
int gds_socket_port(int fd);
int gds_socket_no_delay(int fd, int on);
/* A size of 0 leaves what the kernel has chosen. */
int gds_socket_buffers(int fd, int send_bytes, int receive_bytes);
int gds_socket_shutdown_sending(int fd);
/* Who is at the other end. Writes 4 or 16 bytes, and returns 65536 times as many, plus the port. */
int gds_socket_peer(int fd, uint8_t *address);

/* Event counters. A read of zero from a non-blocking counter is -EAGAIN. */
int gds_eventfd(unsigned int initial, int flags);
int64_t gds_eventfd_read(int fd);
int gds_eventfd_write(int fd, uint64_t value);

/*
 * Memory. The map call returns an address; addresses of user space are positive as int64_t. Its flags are added to
 * those of private anonymous memory.
 */
int64_t gds_page_size(void);
int64_t gds_mmap_anonymous(uint64_t length_bytes, int flags);
int gds_munmap(int64_t address, uint64_t length_bytes);
int gds_madvise(int64_t address, uint64_t length_bytes, int advice);
int gds_mlock(int64_t address, uint64_t length_bytes);
int gds_munlock(int64_t address, uint64_t length_bytes);

/* Placement on NUMA nodes: the kernel's own calls, so that libnuma is not needed. */
int gds_mbind(int64_t address, uint64_t length_bytes, int mode, const uint64_t *node_mask, uint64_t mask_bits,
              unsigned int flags);
int gds_get_mempolicy(int *mode, uint64_t *node_mask, uint64_t mask_bits, int64_t address, uint64_t flags);
int gds_move_pages(int pid, uint64_t page_count, const int64_t *addresses, const int *nodes, int *status, int flags);

/* Where the calling thread runs now: its NUMA node in the high, its CPU in the low 32 bits. */
int64_t gds_getcpu(void);

/* Threads; 0 is the calling one. Getting returns the bytes of the mask that the kernel wrote. */
int gds_sched_setaffinity(int thread_id, const void *cpu_mask, uint64_t mask_bytes);
int gds_sched_getaffinity(int thread_id, void *cpu_mask, uint64_t mask_bytes);

#pragma GCC visibility pop

#endif
