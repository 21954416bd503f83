// lines: prints the port that it listens on, counts the words of each line that a client sends,
// answers with the number, and ends after the line "end".
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

// Socket owns a descriptor and closes it.
class Socket {
public:
	explicit Socket(int fd) : fd(fd) {}
	Socket(const Socket &) = delete;
	Socket &operator=(const Socket &) = delete;
	~Socket() { close(fd); }
	const int fd;
};

static std::unique_ptr<Socket> listening()
{
	auto s = std::make_unique<Socket>(socket(AF_INET, SOCK_STREAM, 0));
	sockaddr_in at{};
	socklen_t len = sizeof at;
	at.sin_family = AF_INET;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	auto sa = reinterpret_cast<sockaddr *>(&at);
	if (s->fd < 0 || bind(s->fd, sa, len) != 0 || listen(s->fd, 1) != 0 ||
	    getsockname(s->fd, sa, &len) != 0)
		return nullptr;
	std::cout << "listening on port " << ntohs(at.sin_port) << std::endl;
	return s;
}

int main()
{
	auto listener = listening();
	if (!listener) {
		std::cerr << "cannot listen\n";
		return 1;
	}
	Socket peer(accept(listener->fd, nullptr, nullptr));
	std::string pending;
	char buf[256];
	for (ssize_t n; (n = recv(peer.fd, buf, sizeof buf, 0)) > 0;) {
		pending.append(buf, static_cast<size_t>(n));
		for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
			std::istringstream words(pending.substr(0, end));
			auto count = std::distance(std::istream_iterator<std::string>(words), {});
			std::string answer = std::to_string(count) + " words\n";
			send(peer.fd, answer.data(), answer.size(), 0);
			if (pending.compare(0, end, "end") == 0)
				return 0;
		}
	}
	return 1;
}
