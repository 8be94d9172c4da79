/** The icon of the pages, an envelope. @module */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">
<rect x="1" y="3" width="14" height="10" rx="1.5" fill="#0b57a4"/><path d="M2 4.5l6 4.5 6-4.5" fill="none" stroke="#fff" stroke-width="1.3"/>
</svg>
`;
