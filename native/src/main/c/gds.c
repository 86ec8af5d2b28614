#define _GNU_SOURCE
#include "gds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "file offsets must be 64 bits wide");
_Static_assert(sizeof(void *) == 8, "addresses must be 64 bits wide");
_Static_assert(sizeof(struct sockaddr_in6) == GDS_SOCKET_ADDRESS_BYTES, "the largest address");

/* Of struct statx, where the C library's headers are older than the kernel. */
#define ATOMIC_WRITE_MASK 0x10000u
#define ATOMIC_WRITE_MIN_AT 0xa8
#define ATOMIC_WRITE_MAX_AT 0xac
_Static_assert(sizeof(struct statx) >= 0x100, "the kernel writes this much");

/* The result of a call that sets errno. */
#define RESULT(call)                       \
    do {                                   \
        long result_ = (long)(call);       \
        return result_ < 0 ? -errno : result_; \
    } while (0)

/* The same for a call that may be interrupted before it did anything. */
#define RESULT_UNINTERRUPTED(call)             \
    do {                                       \
        long result_;                          \
        do                                     \
            result_ = (long)(call);            \
        while (result_ < 0 && errno == EINTR); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int gds_abi_version(void)
{
    return GDS_ABI_VERSION;
}

int64_t gds_pread(int fd, void *buffer, uint64_t buffer_offset, uint64_t length_bytes, int64_t offset)
{
    RESULT_UNINTERRUPTED(pread(fd, (char *)buffer + buffer_offset, length_bytes, offset));
}

int64_t gds_pwrite(int fd, const void *buffer, uint64_t buffer_offset, uint64_t length_bytes, int64_t offset)
{
    RESULT_UNINTERRUPTED(pwrite(fd, (const char *)buffer + buffer_offset, length_bytes, offset));
}

int64_t gds_pwrite_with(
    int fd, const void *buffer, uint64_t buffer_offset, uint64_t length_bytes, int64_t offset, int flags)
{
    struct iovec memory = {.iov_base = (char *)(uintptr_t)buffer + buffer_offset, .iov_len = length_bytes};
    RESULT_UNINTERRUPTED(pwritev2(fd, &memory, 1, offset, flags));
}

int64_t gds_preadv(int fd, const void *pieces, int piece_count, int64_t offset)
{
    RESULT_UNINTERRUPTED(preadv(fd, pieces, piece_count, offset));
}

int64_t gds_pwritev(int fd, const void *pieces, int piece_count, int64_t offset, int flags)
{
    RESULT_UNINTERRUPTED(pwritev2(fd, pieces, piece_count, offset, flags));
}

int gds_fdatasync(int fd)
{
    RESULT(fdatasync(fd));
}

int gds_fsync(int fd)
{
    RESULT(fsync(fd));
}

int gds_fallocate(int fd, int mode, int64_t offset, int64_t length_bytes)
{
    RESULT_UNINTERRUPTED(fallocate(fd, mode, offset, length_bytes));
}

int gds_ftruncate(int fd, int64_t size_bytes)
{
    RESULT_UNINTERRUPTED(ftruncate(fd, size_bytes));
}

static uint32_t number_at(const struct statx *found, size_t offset)
{
    uint32_t number;
    memcpy(&number, (const char *)found + offset, sizeof number);
    return number;
}

int gds_statx(int fd, struct gds_file_status *status)
{
    struct statx found;
    unsigned int mask = STATX_BASIC_STATS | ATOMIC_WRITE_MASK;
#ifdef STATX_DIOALIGN
    mask |= STATX_DIOALIGN;
#endif
    memset(&found, 0, sizeof found);
    if (statx(fd, "", AT_EMPTY_PATH, mask, &found) < 0)
        return -errno;
    memset(status, 0, sizeof *status);
    status->size_bytes = found.stx_size;
    status->inode = found.stx_ino;
    status->device = makedev(found.stx_dev_major, found.stx_dev_minor);
    status->mode = found.stx_mode;
    status->hard_links = found.stx_nlink;
#ifdef STATX_DIOALIGN
    if (found.stx_mask & STATX_DIOALIGN) {
        status->direct_memory_alignment_bytes = found.stx_dio_mem_align;
        status->direct_offset_alignment_bytes = found.stx_dio_offset_align;
    }
#endif
    if (found.stx_mask & ATOMIC_WRITE_MASK) {
        status->atomic_write_min_bytes = number_at(&found, ATOMIC_WRITE_MIN_AT);
        status->atomic_write_max_bytes = number_at(&found, ATOMIC_WRITE_MAX_AT);
    }
    if (S_ISBLK(found.stx_mode)) {
        int block_bytes = 0;
        if (ioctl(fd, BLKGETSIZE64, &status->size_bytes) < 0 || ioctl(fd, BLKSSZGET, &block_bytes) < 0)
            return -errno;
        status->logical_block_bytes = (uint32_t)block_bytes;
    }
    struct statfs system;
    if (fstatfs(fd, &system) < 0)
        return -errno;
    status->file_system_type = (uint32_t)system.f_type;
    return 0;
}

int gds_socket(int address_bytes)
{
    RESULT(socket(address_bytes == 16 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

int gds_socket_address(void *result, const uint8_t *address, int address_bytes, int port, uint32_t scope)
{
    if (address_bytes == 4) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        memcpy(&v4.sin_addr, address, 4);
        memcpy(result, &v4, sizeof v4);
        return sizeof v4;
    }
    if (address_bytes == 16) {
        struct sockaddr_in6 v6 = {
            .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = scope};
        memcpy(&v6.sin6_addr, address, 16);
        memcpy(result, &v6, sizeof v6);
        return sizeof v6;
    }
    return -EAFNOSUPPORT;
}

int gds_bind_and_listen(int fd, const void *socket_address, int length_bytes, int backlog)
{
    int on = 1;
    /* Else a port that was just in use is refused for a minute. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, socket_address, (socklen_t)length_bytes) < 0)
        return -errno;
    RESULT(listen(fd, backlog));
}

int gds_socket_port(int fd)
{
    struct sockaddr_in6 found;
    socklen_t length = sizeof found;
    if (getsockname(fd, (struct sockaddr *)&found, &length) < 0)
        return -errno;
    /* Both families have the port in one place. */
    return ntohs(found.sin6_port);
}

int gds_socket_no_delay(int fd, int on)
{
    RESULT(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

int gds_socket_buffers(int fd, int send_bytes, int receive_bytes)
{
    if ((send_bytes > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes) < 0) ||
        (receive_bytes > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes) < 0))
        return -errno;
    return 0;
}

int gds_socket_shutdown_sending(int fd)
{
    RESULT(shutdown(fd, SHUT_WR));
}

int gds_socket_peer(int fd, uint8_t *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    socklen_t length = sizeof v6;
    if (getpeername(fd, (struct sockaddr *)&v6, &length) < 0)
        return -errno;
    if (v6.sin6_family == AF_INET6) {
        memcpy(address, &v6.sin6_addr, 16);
        return 16 << 16 | ntohs(v6.sin6_port);
    }
    memcpy(&v4, &v6, sizeof v4);
    memcpy(address, &v4.sin_addr, 4);
    return 4 << 16 | ntohs(v4.sin_port);
}

int gds_eventfd(unsigned int initial, int flags)
{
    RESULT(eventfd(initial, flags | EFD_CLOEXEC));
}

int64_t gds_eventfd_read(int fd)
{
    uint64_t value = 0;
    ssize_t result;
    do
        result = read(fd, &value, sizeof value);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return -errno;
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

int gds_eventfd_write(int fd, uint64_t value)
{
    ssize_t result;
    do
        result = write(fd, &value, sizeof value);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int64_t gds_page_size(void)
{
    RESULT(sysconf(_SC_PAGESIZE));
}

int64_t gds_mmap_anonymous(uint64_t length_bytes, int flags)
{
    int all_flags = MAP_PRIVATE | MAP_ANONYMOUS | flags;
    void *address = mmap(NULL, length_bytes, PROT_READ | PROT_WRITE, all_flags, -1, 0);
    return address == MAP_FAILED ? -errno : (int64_t)(intptr_t)address;
}

int gds_munmap(int64_t address, uint64_t length_bytes)
{
    RESULT(munmap((void *)(intptr_t)address, length_bytes));
}

int gds_madvise(int64_t address, uint64_t length_bytes, int advice)
{
    RESULT_UNINTERRUPTED(madvise((void *)(intptr_t)address, length_bytes, advice));
}

int gds_mlock(int64_t address, uint64_t length_bytes)
{
    RESULT(mlock((void *)(intptr_t)address, length_bytes));
}

int gds_munlock(int64_t address, uint64_t length_bytes)
{
    RESULT(munlock((void *)(intptr_t)address, length_bytes));
}

int gds_mbind(int64_t address, uint64_t length_bytes, int mode, const uint64_t *node_mask, uint64_t mask_bits,
              unsigned int flags)
{
    RESULT(syscall(SYS_mbind, address, length_bytes, mode, node_mask, mask_bits, flags));
}

int gds_get_mempolicy(int *mode, uint64_t *node_mask, uint64_t mask_bits, int64_t address, uint64_t flags)
{
    RESULT(syscall(SYS_get_mempolicy, mode, node_mask, mask_bits, address, flags));
}

int gds_move_pages(int pid, uint64_t page_count, const int64_t *addresses, const int *nodes, int *status, int flags)
{
    RESULT(syscall(SYS_move_pages, pid, page_count, addresses, nodes, status, flags));
}

int64_t gds_getcpu(void)
{
    unsigned int cpu = 0, node = 0;
    /* The C library's, which asks the page that the kernel shares and makes no system call. */
    if (getcpu(&cpu, &node) < 0)
        return -errno;
    return (int64_t)node << 32 | cpu;
}

int gds_sched_setaffinity(int thread_id, const void *cpu_mask, uint64_t mask_bytes)
{
    RESULT(syscall(SYS_sched_setaffinity, thread_id, mask_bytes, cpu_mask));
}

int gds_sched_getaffinity(int thread_id, void *cpu_mask, uint64_t mask_bytes)
{
    RESULT(syscall(SYS_sched_getaffinity, thread_id, mask_bytes, cpu_mask));
}
