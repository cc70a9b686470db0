/* Preloaded into a command: one of its calls fails or is slow. FAULT="CALL ERRNO PART": of paths that hold PART; 0: 30 ms late. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(const char *call, const char *path) {
    const char *fault = getenv("FAULT");
    char name[16], part[256];
    int number;
    if (fault == NULL || sscanf(fault, "%15s %d %255s", name, &number, part) != 3) return 0;
    if (strcmp(name, call) != 0 || strstr(path, part) == NULL) return 0;
    if (number == 0) usleep(30000);
    errno = number;
    return number != 0;
}

static const char *path_of(int file, char *path) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, 4095);
    path[length < 0 ? 0 : length] = '\0';
    return path;
}

ssize_t write(int file, const void *bytes, size_t count) {
    char path[4096];
    if (fails("write", path_of(file, path))) return -1;
    return ((ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(file, bytes, count);
}

int fsync(int file) {
    char path[4096];
    if (fails("fsync", path_of(file, path))) return -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int rename(const char *from, const char *to) {
    if (fails("rename", to)) return -1;
    return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
}
