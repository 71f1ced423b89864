package lex

import (
	"strings"
	"unicode/utf8"
)

// lookalikes are characters that mean a command or an ASCII sign. One table, so that no reader of text has its own.
var lookalikes = map[rune]string{
	'−': "-", '–': "-", '—': "-", '‐': "-", '‑': "-", '﹣': "-", '－': "-", '＋': "+", '×': `\times `, '⋅': `\cdot `, '·': `\cdot `,
	'∙': `\cdot `, '•': `\cdot `, '∗': "*", '÷': `\div `, '∕': "/", '⁄': "/", '／': "/", '±': `\pm `, '∓': `\mp `, '√': `\radical `,
	'∛': `\cuberoot `, '∞': `\infty `, 'π': `\pi `, '∪': `\cup `, '∩': `\cap `, '∖': `\setminus `, '∅': `\emptyset `, '∈': `\in `,
	'≤': `\le `, '⩽': `\le `, '≦': `\le `, '≥': `\ge `, '⩾': `\ge `, '≧': `\ge `, '≠': `\ne `, '≈': `\approx `, '≃': `\approx `, '≅': `\approx `,
	'＝': "=", '＜': "<", '＞': ">", '°': `\degree `, 'º': `\degree `, '℃': `\degree C`, '℉': `\degree F`, '％': "%", '′': "'", '″': "''",
	'’': "'", '‘': "'", '“': `"`, '”': `"`, '，': ",", '、': ",", '；': ";", '：': ":", '（': "(", '）': ")", '［': "[", '］': "]",
	'｛': `\{`, '｝': `\}`, '｜': "|", '∣': "|", '．': ".", '。': ".", '！': "!", '￥': "¥", '＄': `\$`,
	'½': `\frac{1}{2}`, '⅓': `\frac{1}{3}`, '⅔': `\frac{2}{3}`, '¼': `\frac{1}{4}`, '¾': `\frac{3}{4}`, '⅕': `\frac{1}{5}`,
	'⅖': `\frac{2}{5}`, '⅗': `\frac{3}{5}`, '⅘': `\frac{4}{5}`, '⅙': `\frac{1}{6}`, '⅚': `\frac{5}{6}`, '⅛': `\frac{1}{8}`,
	'⅜': `\frac{3}{8}`, '⅝': `\frac{5}{8}`, '⅞': `\frac{7}{8}`, '⅐': `\frac{1}{7}`, '⅑': `\frac{1}{9}`, '⅒': `\frac{1}{10}`,
	'ℝ': `\mathbb{R}`, 'ℤ': `\mathbb{Z}`, 'ℚ': `\mathbb{Q}`, 'ℕ': `\mathbb{N}`, 'ℂ': `\mathbb{C}`,
	'⌊': `\lfloor `, '⌋': `\rfloor `, '⌈': `\lceil `, '⌉': `\rceil `, '⟨': `\langle `, '⟩': `\rangle `, '〈': `\langle `, '〉': `\rangle `,
	'α': `\alpha `, 'β': `\beta `, 'γ': `\gamma `, 'δ': `\delta `, 'ε': `\epsilon `, 'ϵ': `\epsilon `, 'ζ': `\zeta `, 'η': `\eta `, 'θ': `\theta `,
	'ι': `\iota `, 'κ': `\kappa `, 'λ': `\lambda `, 'μ': `\mu `, 'µ': `\mu `, 'ν': `\nu `, 'ξ': `\xi `, 'ρ': `\rho `, 'σ': `\sigma `, 'τ': `\tau `,
	'υ': `\upsilon `, 'φ': `\phi `, 'ϕ': `\phi `, 'χ': `\chi `, 'ψ': `\psi `, 'ω': `\omega `, 'Γ': `\Gamma `, 'Δ': `\Delta `, 'Θ': `\Theta `,
	'Λ': `\Lambda `, 'Ξ': `\Xi `, 'Π': `\Pi `, 'Σ': `\Sigma `, 'Φ': `\Phi `, 'Ψ': `\Psi `, 'Ω': `\Omega `, '\u2126': `\Omega `, 'ℓ': `\ell `, 'ℏ': `\hbar `,
	'∑': `\sum `, '∫': `\int `, '∏': `\prod `, '∠': `\angle `, '△': `\triangle `, '∧': `\land `, '∨': `\lor `, '⊂': `\subset `, '⊆': `\subseteq `,
	'…': `\ldots `, '⋯': `\ldots `, '→': `\to `, '⇒': `\Rightarrow `, '∀': `\forall `, '∃': `\exists `, '∂': `\partial `, '∇': `\nabla `, '¬': `\neg `,
	'\u00a0': " ", '\u2007': " ", '\u2009': `\,`, '\u200a': `\,`, '\u202f': `\,`, '\u2002': " ", '\u2003': " ", '\u2005': " ", '\u3000': " ",
	'\u200b': "", '\u200c': "", '\u200d': "", '\u2060': "", '\ufeff': "", '\u2062': "", '\u2063': "", '\u00ad': "",
}

var superscripts = map[rune]byte{'⁰': '0', '¹': '1', '²': '2', '³': '3', '⁴': '4', '⁵': '5', '⁶': '6', '⁷': '7', '⁸': '8', '⁹': '9', '⁺': '+', '⁻': '-', 'ⁿ': 'n'}

var subscripts = map[rune]byte{'₀': '0', '₁': '1', '₂': '2', '₃': '3', '₄': '4', '₅': '5', '₆': '6', '₇': '7', '₈': '8', '₉': '9'}

// Fold replaces look-alikes. ASCII text, which most answers are, is given back as it is.
func Fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	var b strings.Builder
	rest := s
	for rest != "" {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case superscripts[r] != 0:
			rest = script(&b, "^{", superscripts, rest)
			continue
		case subscripts[r] != 0:
			rest = script(&b, "_{", subscripts, rest)
			continue
		case r >= '０' && r <= '９':
			b.WriteByte(byte('0' + r - '０'))
		case r >= 'Ａ' && r <= 'Ｚ':
			b.WriteByte(byte('A' + r - 'Ａ'))
		case r >= 'ａ' && r <= 'ｚ':
			b.WriteByte(byte('a' + r - 'ａ'))
		default:
			if to, ok := lookalikes[r]; ok {
				b.WriteString(to)
			} else {
				b.WriteString(rest[:size])
			}
		}
		rest = rest[size:]
	}
	return b.String()
}

// script writes a run of raised or lowered characters as one group: x¹² is x^{12}.
func script(b *strings.Builder, open string, table map[rune]byte, s string) string {
	b.WriteString(open)
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if table[r] == 0 {
			break
		}
		b.WriteByte(table[r])
		s = s[size:]
	}
	b.WriteByte('}')
	return s
}
