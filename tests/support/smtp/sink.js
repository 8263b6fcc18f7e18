// A mail server that keeps what it takes: smtp-server speaks, mailparser reads, and each mail is one line of JSON
// in FILE: messageId, from, to, subject, text, html, headers (names in lower case).
//
//     node sink.js FILE [--port N] [--key PEM --cert PEM] [--user NAME --password WORD]
//
// Prints listening=127.0.0.1:PORT.  With a key it offers STARTTLS; with a user it takes mail after login only.
// What is in front of the recipient's @ is a wish, for tests of those who send:
//
//     refused   550 5.1.1, ever          later    451 4.7.1 the first time, then taken
//     silent    a Message-ID's first copy is kept and not answered; the sender has to give up or die
//     dropped   the same, and the connection is closed
"use strict";

const fs = require("node:fs");
const { parseArgs } = require("node:util");
const { simpleParser } = require("mailparser");
const { SMTPServer } = require("smtp-server");

const { values: option, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		port: { type: "string", default: "0" },
		key: { type: "string" }, cert: { type: "string" },
		user: { type: "string" }, password: { type: "string" },
	},
});
const file = positionals[0];
const seen = new Set();

function first(what) {
	const is = !seen.has(what);
	seen.add(what);
	return is;
}

function no(code, text) {
	return Object.assign(new Error(text), { responseCode: code });
}

function wish(address) {
	return address.split("@")[0];
}

function onRcptTo({ address }, session, done) {
	if (wish(address) === "refused") {
		return done(no(550, "5.1.1 no such user"));
	}
	if (wish(address) === "later" && first(`later ${address}`)) {
		return done(no(451, "4.7.1 greylisted"));
	}
	return done();
}

async function onData(stream, session, done) {
	const mail = await simpleParser(stream);
	const to = session.envelope.rcptTo.map(({ address }) => address);
	const line = {
		messageId: mail.messageId, from: session.envelope.mailFrom.address, to, subject: mail.subject,
		text: mail.text, html: mail.html, secure: session.secure,
		headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(":") + 1).trim()])),
	};
	fs.appendFileSync(file, JSON.stringify(line) + "\n");
	const ask = wish(to[0]);
	if (ask === "dropped" && first(mail.messageId)) {
		return connections.get(session.id)?.destroy();
	}
	if (ask === "silent" && first(mail.messageId)) {
		return undefined;
	}
	return done();
}

const connections = new Map();
const server = new SMTPServer({
	banner: "sink",
	authOptional: !option.user,
	disabledCommands: [...(option.key ? [] : ["STARTTLS"]), ...(option.user ? [] : ["AUTH"])],
	...(option.key ? { key: fs.readFileSync(option.key), cert: fs.readFileSync(option.cert) } : {}),
	disableReverseLookup: true,
	closeTimeout: 100,
	onAuth: ({ username, password }, session, done) => (username === option.user && password === option.password
		? done(null, { user: username }) : done(no(535, "5.7.8 wrong"))),
	onRcptTo,
	onData: (stream, session, done) => onData(stream, session, done).catch(done),
});
server.on("error", () => {}); // a sender that goes away is none of ours
server.server.on("connection", (socket) => socket.on("error", () => {}));
server.onConnect = (session, done) => {
	for (const connection of server.connections) {
		if (connection.session === session || connection.id === session.id) {
			connections.set(session.id, { destroy: () => connection._socket.destroy() });
		}
	}
	done();
};
server.onClose = (session) => connections.delete(session.id);

fs.appendFileSync(file, "");
server.listen(Number(option.port), "127.0.0.1", () => {
	console.log(`listening=127.0.0.1:${server.server.address().port}`);
});
process.on("SIGTERM", () => process.exit(0));
