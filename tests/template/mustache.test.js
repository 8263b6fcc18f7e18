// core/base/template against Mustache's own JavaScript: random templates over random views, cases of its
// specification, and the templates that are sent to customers.
import assert from "node:assert";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import mustache from "mustache";

const TEMPLATES = new URL("../../workers/notification/templates/", import.meta.url);
const plain = { escape: (text) => text };

function ours(questions) {
	const input = questions.map((q) => JSON.stringify(q)).join("\n") + "\n";
	const done = spawnSync(process.env.TEMPLATE_RENDER, [], { input, maxBuffer: 1 << 28 });
	assert.strictEqual(done.status, 0, String(done.stderr));
	return String(done.stdout).trimEnd().split("\n").map((line) => JSON.parse(line));
}

function theirs({ template, view, html }) {
	return mustache.render(template, view, {}, html ? undefined : plain);
}

function agree(questions) {
	ours(questions).forEach((answer, i) => {
		const q = questions[i];
		assert.deepStrictEqual([answer.end, answer.text], ["ok", theirs(q)], JSON.stringify(q));
	});
}

// mulberry32: a seed makes a run that can be repeated.
function chance(seed) {
	return () => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

class Writer {
	constructor(random) {
		this.random = random;
	}
	below(n) {
		return Math.floor(this.random() * n);
	}
	pick(list) {
		return list[this.below(list.length)];
	}
	text() {
		return this.pick(["", "plain", "a & b", "<b>'\"</b>", "x=y/z`", "Grüße 東京", " ", "\n", "{{a}}", "0", "false"]);
	}
	row(depth) {
		const view = {};
		for (const name of ["a", "b_1", "c"]) {
			if (depth === 0 || this.random() < 0.6) {
				view[name] = this.text();
			}
		}
		for (const name of ["f", "g"]) {
			if (depth === 0 || this.random() < 0.3) {
				view[name] = this.random() < 0.5;
			}
		}
		for (const name of ["l", "m"]) {
			if (depth === 0 || (depth < 3 && this.random() < 0.4)) {
				view[name] = Array.from({ length: this.below(4) }, () => this.row(depth + 1));
			}
		}
		return view;
	}
	space() {
		return this.pick(["", "", "", " ", "\n", "\n", "  \n ", "\r\n", "\t", "word", "word\n", "}} ", "{ x"]);
	}
	piece(depth) {
		const gap = this.pick(["", "", " "]);
		const name = this.pick(["a", "b_1", "c"]);
		const section = this.pick(["a", "c", "f", "g", "l", "m"]);
		switch (this.below(depth < 4 ? 8 : 5)) {
			case 0: return `{{${gap}${name}${gap}}}`;
			case 1: return `{{{${gap}${name}${gap}}}}`;
			case 2: return `{{&${gap}${name}}}`;
			case 3: return `{{!${gap}note${gap}}}`;
			case 4: return this.space();
			default: {
				const sigil = this.pick(["#", "#", "^"]);
				return `{{${sigil}${gap}${section}}}${this.template(depth + 1)}{{/${section}${gap}}}`;
			}
		}
	}
	template(depth) {
		let text = "";
		for (let n = 1 + this.below(6); n > 0; n--) {
			text += this.space() + this.piece(depth) + this.space();
		}
		return text;
	}
}

test("random templates over random views come out the same", () => {
	const seed = Number(process.env.TEMPLATE_SEED ?? 20261125);
	console.log(`seed ${seed}`);
	const writer = new Writer(chance(seed));
	const questions = [];
	for (let i = 0; i < 5000; i++) {
		// A text that is a section would be the context within it; ours has none, and no name of a text's own.
		questions.push({ template: writer.template(0), view: writer.row(0), html: i % 2 === 0 });
	}
	agree(questions);
	const longest = Math.max(...questions.map((q) => theirs(q).length));
	assert.ok(longest > 500, "the templates put out next to nothing");
});

test("cases of the specification", () => {
	const cases = [
		["Hello from {Mustache}!\n", {}],
		['These characters should be HTML escaped: {{forbidden}}\n', { forbidden: "& \" < >" }],
		["| {{string}} |", { string: "---" }],
		["{{#bool}}\n* first\n{{/bool}}\n* {{two}}\n{{#bool}}\n* third\n{{/bool}}\n", { two: "second", bool: true }],
		["| A {{#bool}}B {{#bool}}C{{/bool}} D{{/bool}} E |", { bool: false }],
		["\"{{#list}}Yay lists!{{/list}}\"", { list: [] }],
		[" {{#boolean}}YES{{/boolean}}\n {{#boolean}}GOOD{{/boolean}}\n", { boolean: true }],
		["| This Is\n{{#boolean}}\n|\n{{/boolean}}\n| A Line\n", { boolean: true }],
		["| This Is\n  {{#boolean}}\n|\n  {{/boolean}}\n| A Line\n", { boolean: true }],
		["|\r\n{{#boolean}}\r\n{{/boolean}}\r\n|", { boolean: true }],
		["  {{#boolean}}\n#{{/boolean}}\n/", { boolean: true }],
		["#{{#boolean}}\n/\n  {{/boolean}}", { boolean: true }],
		["{{^bool}}\n* first\n{{/bool}}\n* {{two}}\n{{^bool}}\n* third\n{{/bool}}\n", { two: "second", bool: false }],
		["12345{{! Comment Block! }}67890\n", {}],
		["12345{{!\n  This is a\n  multi-line comment...\n}}67890\n", {}],
		["Begin.\n{{! Indented Comment Block! }}\nEnd.\n", {}],
		["Begin.\n{{!\nSomething's going on here...\n}}\nEnd.\n", {}],
		["  12 {{! 34 }}\n", {}],
	];
	agree(cases.map(([template, view]) => ({ template, view, html: true })));
});

test("what Mustache cannot read either is refused", () => {
	const bad = ["{{a", "{{#a}}", "{{/a}}", "{{#a}}{{#b}}{{/a}}{{/b}}", "{{{a}}"];
	const view = { a: [{}], b: [{}] };
	ours(bad.map((template) => ({ template, view, html: true }))).forEach((answer, i) => {
		assert.throws(() => theirs({ template: bad[i], view, html: true }), bad[i]);
		assert.notStrictEqual(answer.end, "ok", bad[i]);
	});
});

test("the mails to customers come out the same", () => {
	const order = {
		shop: "Café <Shop>", order_number: "1001", name: "Ann O'Neil", total: "EUR 12.50", carrier: "Post",
		tracking_code: "TR1", tracking_url: "https://post.example/?a=1&b=2", action_url: "https://bank.example/?x='",
		partly: true, expired: true, rejected: true, declined: true, action: true, listed: true,
		lines: [{ quantity: "2", item: "<mug> & \"lid\"", price: "EUR 5.00", sum: "EUR 10.00" },
			{ quantity: "1", item: "pen", price: "EUR 2.50", sum: "EUR 2.50" }],
		more: "7", subject: "An <order>", body: "<p>a body</p>", goods: "<b>goods</b>",
	};
	const none = Object.fromEntries(Object.entries(order).map(([name, v]) =>
		[name, typeof v === "boolean" ? false : typeof v === "string" ? "" : []]));
	const files = readdirSync(TEMPLATES);
	assert.ok(files.length > 0);
	for (const view of [order, none]) {
		agree(files.map((file) => ({
			template: readFileSync(new URL(file, TEMPLATES), "utf8"), view, html: file.endsWith(".html"),
		})));
	}
});
