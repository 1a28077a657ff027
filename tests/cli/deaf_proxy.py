"""Stands before a broker, whose `advertised.listeners` names it, and hangs up where it is asked for records."""

import socket
import struct
import threading

FETCH = 1


class DeafProxy:
    def __init__(self):
        self.broker_port, self.is_deaf = None, False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self.broker_port))
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client, broker, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(broker, client, False), daemon=True).start()

    def _pass(self, source, target, are_requests):
        """Frame by frame."""
        with source, target, source.makefile("rb") as frames:
            try:
                while size := frames.read(4):
                    frame = frames.read(struct.unpack(">i", size)[0])
                    if are_requests and self.is_deaf and struct.unpack_from(">h", frame)[0] == FETCH:
                        break
                    target.sendall(size + frame)
                for each in (source, target):
                    each.shutdown(socket.SHUT_RDWR)
            except (OSError, struct.error):
                pass
